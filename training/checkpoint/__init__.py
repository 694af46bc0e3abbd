"""Checkpoints of a run: verified directories, written completely or not at all, resumed from exactly."""
