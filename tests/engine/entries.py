"""Entries for the tests of the stores."""

from __future__ import annotations

import time

import numpy as np

from app.engine.store.entry import Entry
from models.images.frame import Box, Frame
from tests.tiny_bundle import declared_maps


def entry(*, side: int = 8, seconds: float = 600.0, attention: bool = True) -> Entry:
    """Return an entry with random pixels."""
    rng = np.random.default_rng(side)
    pixels = rng.integers(0, 256, (2, side, side, 3), np.uint8)
    return Entry(
        direction="cat2dog",
        version="0123456789ab",
        source=Frame(pixels[0], Box(0, 1, side, side - 1)),
        translation=pixels[1],
        declared=declared_maps(generator=attention),
        maps={"attention": rng.random((2, 3), np.float32)} if attention else {},
        expires_at=time.time() + seconds,
    )


def same(one: Entry, other: Entry) -> bool:
    """Return whether two entries are equal."""
    return (
        one.maps.keys() == other.maps.keys()
        and all(np.array_equal(one.maps[name], other.maps[name]) for name in one.maps)
        and one.declared == other.declared
        and (one.direction, one.version, one.expires_at) == (other.direction, other.version, other.expires_at)
        and one.source.content == other.source.content
        and np.array_equal(one.source.pixels, other.source.pixels)
        and np.array_equal(one.translation, other.translation)
    )
