"""A discriminator that judges pictures by the feature maps of a frozen classifier.

Sauer et al., "Projected GANs Converge Faster" (NeurIPS 2021, arXiv 2111.01007): the maps are mixed by random
weights that never learn, across channels and from coarse to fine, so that no discriminator can ignore most of
the features. One small discriminator judges each of the mixed maps.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.discriminator import SLOPE
from models.networks.spectral import spectral_norm

SMALLEST_SIZE: Final = 32
"""Of a picture: its coarsest map has one value."""
_MIXED: Final = 64
"""Channels of every mixed map."""
_HIDDEN: Final = 128
"""Channels inside every small discriminator."""


class FeatureDiscriminator(nn.Module):
    """One small discriminator for each of four maps `[B, C, S / 4, S / 4]` to `[B, C, S / 32, S / 32]`."""

    def __init__(self, channels: Sequence[int]) -> None:
        """
        Args:
            channels: of the maps, from the finest to the coarsest.
        """
        super().__init__()
        self._levels = range(len(channels))
        for level, each in enumerate(channels):
            self.register_buffer(f"across{level}", _random_kernel(_MIXED, each, 1))
            self.register_buffer(f"within{level}", _random_kernel(_MIXED, _MIXED, 3))
        # Each ends at the coarsest map's size, so that its logits see a large part of the picture.
        self.heads = nn.ModuleList(_head(len(channels) - 1 - level) for level in self._levels)

    def forward(self, *maps: Tensor) -> list[Tensor]:
        """Return the logits of each level, `[B, 1, h, w]`: above 0 where the maps look real."""
        return [head(mixed) for head, mixed in zip(self.heads, self._mixed(maps), strict=True)]

    def _mixed(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Mix every map with the coarser ones: `[B, 64, h, w]` of each."""
        mixed: list[Tensor] = []
        for level in reversed(self._levels):
            x = F.conv2d(maps[level], self.get_buffer(f"across{level}"))
            if mixed:
                coarser = F.interpolate(mixed[-1], size=x.shape[2:], mode="bilinear")
                x = (x + coarser) * sqrt(0.5)
            mixed.append(F.conv2d(x, self.get_buffer(f"within{level}"), padding=1))
        return mixed[::-1]


def _random_kernel(outputs: int, inputs: int, kernel: int) -> Tensor:
    """Return a kernel, `[outputs, inputs, kernel, kernel]`, that keeps the variance of its input."""
    return torch.randn(outputs, inputs, kernel, kernel) / sqrt(inputs * kernel**2)


def _head(halvings: int) -> nn.Sequential:
    """Return a discriminator that halves its map so many times, at least one hidden layer deep."""
    layers: list[nn.Module] = []
    widths = [_MIXED, *[_HIDDEN] * max(1, halvings)]
    for inputs, outputs in pairwise(widths):
        shape = (4, 2) if halvings else (3, 1)  # kernel and stride
        layers += [spectral_norm(nn.Conv2d(inputs, outputs, *shape, padding=1)), nn.LeakyReLU(SLOPE)]
    return nn.Sequential(*layers, spectral_norm(nn.Conv2d(_HIDDEN, 1, 3, padding=1)))
