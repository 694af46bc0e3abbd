"""What a store keeps of one translation: a plain value without locks, which can be pickled."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.images.frame import Frame

AttentionMap = NDArray[np.float32]
"""Raw attention `[h, w]` of one network."""

ComputeMaps = Callable[[], Awaitable[Mapping[str, AttentionMap]]]
"""Runs the discriminators and returns their maps by name."""

_OVERHEAD_BYTES = 1024
"""A rough estimate of an entry's size without its arrays, so that tiny pictures count too."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One translation with its generator's attention map."""

    direction: str
    version: str
    """Of the bundle that translated it."""
    source: Frame
    """The network's input."""
    translation: NDArray[np.uint8]
    """`[H, W, 3]`, the whole frame, padding included."""
    generator: AttentionMap | None
    """The generator's map `[h, w]`; None for a model without attention."""
    expires_at: float
    """Seconds since 1970."""

    @property
    def size_bytes(self) -> int:
        """The memory of the entry; the discriminators' two maps are assumed as large as the generator's."""
        maps = 3 * self.generator.nbytes if self.generator is not None else 0
        return self.source.pixels.nbytes + self.translation.nbytes + maps + _OVERHEAD_BYTES


def new_id() -> str:
    """Return 128 random bits as 22 base64url characters."""
    return secrets.token_urlsafe(16)
