"""The networks of DRIT (Lee et al., ECCV 2018, arXiv 1808.00948), as its PyTorch code builds them."""
