"""The shapes and switches of the networks.

Defaults are the paper's sizes with the choices of the official PyTorch code; each switch names a choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Normalization = Literal["adalin", "in", "ln", "adain", "gn"]
"""The decoder's normalisation: the paper's AdaLIN, or one of the ablations of its table 1."""


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
    unbiased_variance: bool = True
    """AdaLIN and LIN divide by n - 1, as the official PyTorch code does; the TensorFlow code by n."""

    def __post_init__(self) -> None:
        if self.size < 8 or self.size % 4:
            raise ConfigError(f"size is {self.size}; it must be a multiple of 4 and at least 8.")
        if self.channels < 1 or self.blocks < 1:
            raise ConfigError("channels and blocks must be at least 1.")


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

    def __post_init__(self) -> None:
        if self.layers < 3:
            raise ConfigError(f"A discriminator of {self.layers} layers is none; it needs at least 3.")
        if self.channels < 1:
            raise ConfigError("channels must be at least 1.")

    @property
    def features(self) -> int:
        """Channels of the feature map that the CAM weights."""
        return self.channels << (self.layers - 2)

    @property
    def smallest_size(self) -> int:
        """Least height and width of a picture, in pixels, that leaves something to judge.

        Each stride halves it; of the rest both convolutions at stride 1 take one, and a reflection needs two.
        """
        return 3 << (self.layers - 2)
