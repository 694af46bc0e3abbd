"""The shapes and switches of the networks.

Defaults are the paper's sizes with the choices of the official PyTorch code; each switch names a choice, most
of them that of the TensorFlow code, with which the paper's figures were made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Normalization = Literal["adalin", "in", "ln", "adain", "gn"]
"""The decoder's normalisation: the paper's AdaLIN, or one of the ablations of its table 1."""

StyleWidth = Literal["features", "blocks"]


class ConfigError(ValueError):
    """A network that cannot be built was asked for. The message is one sentence."""


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """One generator."""

    size: int = 256
    """Height and width of the pictures in pixels, a multiple of 4. Binding for the full generator only."""
    channels: int = 64
    """Base channels c: the encoder goes 3 -> c -> 2c -> 4c."""
    blocks: int = 4
    """Residual blocks, in the encoder and in the decoder each."""
    light: bool = False
    """Gamma and beta from the pooled features (10.6 M parameters), not from all (279 M at 256 px)."""
    normalization: Normalization = "adalin"
    """Of the decoder; what the up-sampling layers take follows from it."""
    cam: bool = True
    """The auxiliary classifier and its re-weighting; without it the features go straight on."""
    shared_cam: bool = False
    """One classifier with a bias serves both poolings, and a feature's weight is w + b, as in the TensorFlow
    code; otherwise each pooling has its own, without a bias."""
    biases: bool = False
    """Every convolution and fully connected layer has a bias, as in the TensorFlow code; otherwise the CAM's
    1x1 convolution alone."""
    affine_instance_norm: bool = False
    """The encoder's instance normalisation learns a scale and a shift, as in the TensorFlow code."""
    smooth_rho: bool = False
    """AdaLIN's rho starts at 1 and is used as clip(rho - 0.1, 0, 1), as in the TensorFlow code; otherwise it
    starts at 0.9 and is used as it is."""
    unbiased_variance: bool = True
    """AdaLIN and LIN divide by n - 1, as the official PyTorch code does; the TensorFlow code by n."""
    style_width: StyleWidth = "features"
    """Of the two hidden layers before gamma and beta: 4c as the features, or c times the number of blocks, as
    in the TensorFlow code. Gamma and beta themselves have the 4c of the maps that they scale."""

    def __post_init__(self) -> None:
        if self.size < 8 or self.size % 4:
            raise ConfigError(f"size is {self.size}; it must be a multiple of 4 and at least 8.")
        if self.channels < 1 or self.blocks < 1:
            raise ConfigError("channels and blocks must be at least 1.")
        _refuse_shared_nothing(self.cam, self.shared_cam)
        if self.smooth_rho and self.normalization != "adalin":
            raise ConfigError(
                f"smooth_rho is AdaLIN's, and normalization is {self.normalization}: leave it out."
            )
        if self.style_width != "features" and not self.adaptive:
            raise ConfigError(
                f"style_width is of the layers to gamma and beta, and normalization {self.normalization} "
                "has none: leave it out."
            )

    @property
    def adaptive(self) -> bool:
        """Whether the decoder's normalisation takes gamma and beta from the picture's features."""
        return self.normalization in ("adalin", "adain")


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """One discriminator; 7 layers make the global one, 5 the local one."""

    channels: int = 64
    """Channels of the first layer; each of the following doubles them."""
    layers: int = 7
    """Convolutions of 4x4, the last one to the logit included."""
    cam: bool = True
    """The auxiliary classifier and its re-weighting."""
    raw_cam_weight: bool = True
    """The features are weighted by the classifiers' weights as they were before spectral normalisation, as
    the official PyTorch code does; the logit always uses the normalised ones."""
    shared_cam: bool = False
    """One classifier with a bias serves both poolings, and a feature's weight is w + b, as in the TensorFlow
    code; otherwise each pooling has its own, without a bias."""
    last_bias: bool = False
    """The convolution to the logit has a bias too, as in the TensorFlow code."""
    uneven_padding: bool = False
    """The two convolutions at stride 1 pad 1 before and 2 after, which keeps the map's size, as in the
    TensorFlow code: 32x32 and 8x8 logits at 256 px. Otherwise they pad 1 on every side, and each takes one
    row and one column: 30x30 and 6x6."""

    def __post_init__(self) -> None:
        if self.layers < 3:
            raise ConfigError(f"A discriminator needs at least 3 layers, got {self.layers}.")
        if self.channels < 1:
            raise ConfigError("channels must be at least 1.")
        _refuse_shared_nothing(self.cam, self.shared_cam)

    @property
    def features(self) -> int:
        """Channels of the feature map that the CAM weights."""
        return self.channels << (self.layers - 2)

    @property
    def smallest_size(self) -> int:
        """Least height and width of a picture, in pixels, that leaves something to judge.

        Each stride halves it. Three must be left: for two convolutions that take one each and still need two
        to reflect, and alike for an uneven padding, whose reflection by two needs three.
        """
        return 3 << (self.layers - 2)


def deepest_layers(size: int) -> int:
    """The most layers that a discriminator of pictures of `size` pixels can have."""
    return (size // 3).bit_length() + 1


def _refuse_shared_nothing(cam: bool, shared_cam: bool) -> None:
    if shared_cam and not cam:
        raise ConfigError("shared_cam is of the CAM, and cam is false: leave it out.")
