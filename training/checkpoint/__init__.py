"""A run's memory: verified directories, written whole or not at all, from which training goes on exactly."""
