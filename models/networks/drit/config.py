"""The shapes of DRIT's networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from models.networks.config import ConfigError

Mode = Literal["concat", "feature-wise"]
"""How the decoder takes an attribute: as constant channels, or as features mixed into its residual blocks."""

SLOPE: Final = 0.01
"""Of every leaky ReLU, except in the attribute encoder of the mode concat."""


@dataclass(frozen=True, kw_only=True)
class DritConfig:
    """The shapes of all networks."""

    channels: int = 64
    """Base channels c of every network: the content encoder goes 3 -> c -> 2c -> 4c."""
    style: int = 8
    """Numbers of an attribute."""
    mode: Mode = "concat"
    """How the decoder takes an attribute: `concat` for small changes of shape, `feature-wise` for large."""
    scales: int = 3
    """Scales of each image discriminator: the picture, its half, its quarter."""
    content_layers: int = 3
    """Convolutions of stride 2 of the content discriminator. 3 need pictures of at least 212 px, 2 of 100
    px, 1 of 44 px."""

    def __post_init__(self) -> None:
        for name in ("channels", "style", "scales", "content_layers"):
            if getattr(self, name) < 1:
                raise ConfigError(f"drit.networks.{name} must be at least 1, got {getattr(self, name)}.")

    @property
    def features(self) -> int:
        """Channels of a content map."""
        return 4 * self.channels

    @property
    def smallest_size(self) -> int:
        """The smallest height and width of a training picture, in pixels, that both kinds of discriminators
        can judge: a multiple of 4."""
        # The image discriminators reflect one row of a map of the smallest scale before its fourth halving.
        return max(16 << (self.scales - 1), smallest_content_size(self.content_layers))


def smallest_content_size(layers: int) -> int:
    """Return the smallest side of a picture whose content has one logit, in pixels: a multiple of 4.

    A convolution of 4x4 needs 4 rows; before it, each 7x7 of stride 2 turns 2n + 3 rows into n.
    """
    rows = 4
    for _ in range(layers):
        rows = 2 * rows + 3
    return 4 * rows


def deepest_content_layers(size: int) -> int:
    """Return the largest number of strided layers of a content discriminator for pictures of `size` pixels,
    from 1 to the official 3."""
    return max((layers for layers in (2, 3) if smallest_content_size(layers) <= size), default=1)
