"""Measurements: every figure is a ratio of things run alternately in one process."""
