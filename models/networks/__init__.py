"""The networks of U-GAT-IT (arXiv 1907.10830) as mathematics: no device, no files."""
