"""The config of a run: presets, ablations, compute settings."""
