"""MUNIT: a content and a style code of each picture."""
