"""Measure how good translators are, on the test pictures of a data set."""
