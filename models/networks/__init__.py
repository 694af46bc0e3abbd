"""The networks as mathematics: no device, no files."""
