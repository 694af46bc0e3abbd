"""How a translator serves."""
