"""Read request bodies and options; write answers."""
