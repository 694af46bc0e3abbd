"""What a store keeps of one translation: a plain value without locks, which can be pickled."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.bundle.declarations import HeatMap, Network, Part
from models.images.frame import Frame

AttentionMap = NDArray[np.float32]
"""Raw attention `[h, w]` of one network."""

Maps = Mapping[str, AttentionMap]
"""Raw attention by the name that the manifest declares."""

ComputeMaps = Callable[[], Awaitable[Maps]]
"""Runs the discriminators and returns their maps."""

_OVERHEAD_BYTES = 1024
"""A rough estimate of an entry's size without its arrays, so that tiny pictures count too."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One translation with the generator's heat maps."""

    direction: str
    version: str
    """Of the bundle that translated it."""
    source: Frame
    """The network's input."""
    translation: NDArray[np.uint8]
    """`[H, W, 3]`, the whole frame, padding included."""
    declared: Sequence[HeatMap]
    """The heat maps that the bundle declares, of all its networks."""
    maps: Maps
    """The generator's maps `[h, w]`."""
    expires_at: float
    """Seconds since 1970."""

    @property
    def size_bytes(self) -> int:
        """The memory of the entry; a discriminator's map counts like the generator's largest."""
        sizes = [values.nbytes for values in self.maps.values()]
        later = sum(each.network != "generator" for each in self.declared) * max(sizes, default=0)
        return self.source.pixels.nbytes + self.translation.nbytes + sum(sizes) + later + _OVERHEAD_BYTES

    def find(self, network: Network, part: Part = "both") -> HeatMap | None:
        """Return the declared heat map of a network; None if the bundle has no such map."""
        return next((each for each in self.declared if (each.network, each.part) == (network, part)), None)


def new_id() -> str:
    """Return 128 random bits as 22 base64url characters."""
    return secrets.token_urlsafe(16)
