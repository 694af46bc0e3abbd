"""AGGAN (Mejjati et al., NeurIPS 2018): translations masked by attention networks."""
