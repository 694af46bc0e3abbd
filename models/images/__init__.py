"""Pictures: decode, frame, draw heat maps, encode."""
