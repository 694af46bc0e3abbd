"""UNIT: encoders and decoders of two domains that share a latent space."""
