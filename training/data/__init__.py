"""Two folders of pictures as batches that the same seed always gives again."""
