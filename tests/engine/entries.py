"""Entries for the tests of the stores."""

from __future__ import annotations

import time

import numpy as np

from app.engine.store.entry import Entry
from models.images.frame import Box, Frame


def entry(*, side: int = 8, seconds: float = 600.0, attention: bool = True) -> Entry:
    """Return an entry with random pixels."""
    rng = np.random.default_rng(side)
    pixels = rng.integers(0, 256, (2, side, side, 3), np.uint8)
    return Entry(
        direction="cat2dog",
        version="0123456789ab",
        source=Frame(pixels[0], Box(0, 1, side, side - 1)),
        translation=pixels[1],
        generator=rng.random((2, 3), np.float32) if attention else None,
        expires_at=time.time() + seconds,
    )


def same(one: Entry, other: Entry) -> bool:
    """Return whether two entries are equal."""
    maps = one.generator is other.generator is None or np.array_equal(one.generator, other.generator)  # type: ignore[arg-type]
    return (
        maps
        and (one.direction, one.version, one.expires_at) == (other.direction, other.version, other.expires_at)
        and one.source.content == other.source.content
        and np.array_equal(one.source.pixels, other.source.pixels)
        and np.array_equal(one.translation, other.translation)
    )
