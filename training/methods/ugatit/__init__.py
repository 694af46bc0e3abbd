"""U-GAT-IT (Kim et al., ICLR 2020)."""
