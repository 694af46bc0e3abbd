"""How a translator serves."""

__version__ = "0.1.0"
