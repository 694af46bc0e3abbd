"""Train several methods under one budget, and compare them."""
