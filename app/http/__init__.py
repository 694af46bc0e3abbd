"""The HTTP layer: the only room that says FastAPI."""
