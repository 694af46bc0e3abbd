"""Pictures: decoding, framing, heat maps, encoding."""
