"""Translate very many pictures on Ray Data: `ugatit translate --engine ray`."""
