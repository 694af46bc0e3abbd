"""Learned projections of feature maps: PatchNCE compares their places (Park et al., ECCV 2020, section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

_WIDTH: Final = 128


class PatchProjection(nn.Module):
    """Two layers for each map, applied at each of its places by itself."""

    def __init__(self, channels: Sequence[int]) -> None:
        """
        Args:
            channels: of the maps.
        """
        super().__init__()
        self.levels = nn.ModuleList(
            nn.Sequential(nn.Conv2d(each, _WIDTH, 1), nn.ReLU(), nn.Conv2d(_WIDTH, _WIDTH, 1))
            for each in channels
        )

    def forward(self, *maps: Tensor) -> list[Tensor]:
        """Return vectors of length 1 of each map `[B, C, h, w]`: `[B, h * w, 128]`."""
        projected = [level(each) for level, each in zip(self.levels, maps, strict=True)]
        return [F.normalize(each.flatten(2).transpose(1, 2).float(), dim=2) for each in projected]
