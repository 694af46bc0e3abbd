"""A run as one page that can be mailed: curves, rho, samples, config, environment, checkpoints."""
