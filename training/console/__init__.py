"""Print to the terminal of `ugatit-train`: names, times, progress."""
