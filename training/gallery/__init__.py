"""Show test pictures and their translations side by side, on one HTML page."""
