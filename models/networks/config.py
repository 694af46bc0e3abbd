"""The shapes and options of the networks.

The defaults are the paper's sizes and the official PyTorch code's choices. Most options select what the
official TensorFlow code does instead, with which the paper's figures were made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Normalization = Literal["adalin", "in", "ln", "adain", "gn"]
"""The decoder's normalisation: the paper's AdaLIN, or one of the ablations of its table 1."""

StyleWidth = Literal["features", "blocks"]


class ConfigError(ValueError):
    """A config describes a network that cannot be built. The message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """The shape and the options of one generator."""

    size: int = 256
    """Height and width of the pictures in pixels, a multiple of 4. Only the full generator requires this
    size."""
    channels: int = 64
    """Base channels c: the encoder goes 3 -> c -> 2c -> 4c."""
    blocks: int = 4
    """Residual blocks, in the encoder and in the decoder each."""
    light: bool = False
    """Compute gamma and beta from the pooled features (10.6 M parameters) instead of from all features (279 M
    at 256 px)."""
    normalization: Normalization = "adalin"
    """Of the decoder's residual blocks; that of the up-sampling layers follows from it."""
    cam: bool = True
    """Use the auxiliary classifier and its weighting; without it the decoder takes the encoder's features."""
    shared_cam: bool = False
    """Use one classifier with a bias for both poolings; a feature's weight is then w + b, as in the
    TensorFlow code. By default each pooling has its own classifier without a bias."""
    biases: bool = False
    """Give every convolution and fully connected layer a bias, as in the TensorFlow code. By default only the
    CAM's 1x1 convolution has one."""
    affine_instance_norm: bool = False
    """Let the encoder's instance normalisation learn a scale and a shift, as in the TensorFlow code."""
    smooth_rho: bool = False
    """Start AdaLIN's rho at 1 and use clip(rho - 0.1, 0, 1), as in the TensorFlow code. By default rho starts
    at 0.9 and is used unchanged."""
    unbiased_variance: bool = True
    """Divide the variances of AdaLIN and LIN by n - 1, as the official PyTorch code does; the TensorFlow code
    divides by n."""
    style_width: StyleWidth = "features"
    """Width of the two hidden layers before gamma and beta: "features" is 4c, "blocks" is c times the number
    of blocks, as in the TensorFlow code. Gamma and beta always have the 4c channels of the maps they
    scale."""

    def __post_init__(self) -> None:
        if self.size < 8 or self.size % 4:
            raise ConfigError(f"size must be a multiple of 4 and at least 8, got {self.size}.")
        if self.channels < 1 or self.blocks < 1:
            raise ConfigError(
                f"channels and blocks must be at least 1, got {self.channels} and {self.blocks}."
            )
        _refuse_shared_cam_without_cam(self.cam, self.shared_cam)
        if self.smooth_rho and self.normalization != "adalin":
            raise ConfigError(
                f"smooth_rho needs normalization adalin, got {self.normalization}; remove smooth_rho."
            )
        if self.style_width != "features" and not self.adaptive:
            raise ConfigError(
                f"style_width needs normalization adalin or adain, got {self.normalization}; "
                "remove style_width."
            )

    @property
    def adaptive(self) -> bool:
        """Whether the decoder's normalisation computes gamma and beta from the picture's features."""
        return self.normalization in ("adalin", "adain")


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """The shape and the options of one discriminator: the global one has 7 layers, the local one 5."""

    channels: int = 64
    """Channels of the first layer; each following layer doubles them."""
    layers: int = 7
    """Number of 4x4 convolutions, including the last one to the logit."""
    cam: bool = True
    """Use the auxiliary classifier and its weighting."""
    raw_cam_weight: bool = True
    """Weight the features by the classifiers' weights before spectral normalisation, as the official PyTorch
    code does. The logit always uses the normalised weights."""
    shared_cam: bool = False
    """Use one classifier with a bias for both poolings; a feature's weight is then w + b, as in the
    TensorFlow code. By default each pooling has its own classifier without a bias."""
    spectral_norm: bool = True
    """Divide the weights by their largest singular values, except that of the CAM's 1x1 convolution. The
    TensorFlow code can train without."""
    last_bias: bool = False
    """Give the convolution to the logit a bias too, as in the TensorFlow code."""
    uneven_padding: bool = False
    """Pad the two convolutions with stride 1 by 1 before and 2 after, which keeps the map's size, as in the
    TensorFlow code: the logits are 32x32 and 8x8 at 256 px. By default they pad 1 on every side, and each
    removes one row and one column: 30x30 and 6x6."""

    def __post_init__(self) -> None:
        if self.layers < 3:
            raise ConfigError(f"A discriminator needs at least 3 layers, got {self.layers}.")
        if self.channels < 1:
            raise ConfigError(f"channels must be at least 1, got {self.channels}.")
        _refuse_shared_cam_without_cam(self.cam, self.shared_cam)

    @property
    def features(self) -> int:
        """Channels of the feature map that the CAM weights."""
        return self.channels << (self.layers - 2)

    @property
    def smallest_size(self) -> int:
        """The smallest height and width of a picture, in pixels, that gives at least one logit.

        Each stride of 2 halves the map, and 3 pixels must remain for the last two convolutions: with padding
        1, each removes one pixel and reflection needs two; with uneven padding, reflecting by two needs
        three.
        """
        return 3 << (self.layers - 2)


def deepest_layers(size: int) -> int:
    """Return the largest number of layers of a discriminator for pictures of `size` pixels."""
    return (size // 3).bit_length() + 1


def _refuse_shared_cam_without_cam(cam: bool, shared_cam: bool) -> None:
    if shared_cam and not cam:
        raise ConfigError("shared_cam needs cam = true, got cam = false; remove shared_cam.")
