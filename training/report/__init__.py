"""The report of a run, one HTML file: curves, rho, samples, config, environment, checkpoints."""
