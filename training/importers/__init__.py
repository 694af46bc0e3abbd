"""Read checkpoints of other implementations into our networks."""
