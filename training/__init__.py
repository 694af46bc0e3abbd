"""How a translator learns."""
