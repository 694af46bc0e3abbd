"""The HTTP application of a study."""
