"""The folder of a run: its config, statistics, environment, lock and list of pictures."""
