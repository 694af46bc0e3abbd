"""Train the paper's ablations under one budget, and compare them."""
