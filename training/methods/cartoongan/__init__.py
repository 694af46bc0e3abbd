"""CartoonGAN (Chen et al., CVPR 2018): photos into cartoons, in one direction."""
