"""Ways to learn a translator, one file each."""
