"""Networks as mathematics: no device, no files."""
