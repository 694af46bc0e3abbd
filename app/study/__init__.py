"""A study in which people choose the best of several models' translations."""
