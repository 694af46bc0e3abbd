"""Start a run, train, save and resume."""
