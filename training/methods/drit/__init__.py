"""DRIT (Lee et al., ECCV 2018): contents and attributes, exchanged between two domains."""
