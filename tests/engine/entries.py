"""Entries for the tests of the stores."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from app.engine.store.entry import Crop, Entry, Scene
from models.images.affine import Affine
from models.images.frame import Box, Frame
from tests.tiny_bundle import declared_maps


def entry(*, side: int = 8, seconds: float = 600.0, attention: bool = True) -> Entry:
    """Return an entry with random pixels."""
    rng = np.random.default_rng(side)
    pixels = rng.integers(0, 256, (2, side, side, 3), np.uint8)
    return Entry(
        direction="cat2dog",
        version="0123456789ab",
        crops=[
            Crop(
                Frame(pixels[0], Box(0, 1, side, side - 1)),
                pixels[1],
                {"attention": rng.random((2, 3), np.float32)} if attention else {},
            )
        ],
        declared=declared_maps(generator=attention),
        expires_at=time.time() + seconds,
    )


def scene_entry(*, crops: int = 3) -> Entry:
    """Return an entry of several crops of one photo."""
    of_crops = [entry(side=8 + 4 * number) for number in range(crops)]
    moved = [
        each.crops[0]._replace(to_frame=Affine(0.5, 0.1, number, -0.1, 0.5, -3.25))
        for number, each in enumerate(of_crops)
    ]
    pixels = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    return replace(of_crops[0], crops=moved, scenes=[Scene(pixels, 500, 700)])


def same(one: Entry, other: Entry) -> bool:
    """Return whether two entries are equal."""
    return (
        len(one.crops) == len(other.crops)
        and all(map(_same_crop, one.crops, other.crops))
        and one.declared == other.declared
        and (one.direction, one.version, one.expires_at) == (other.direction, other.version, other.expires_at)
        and _same_scene(one.scene, other.scene)
    )


def _same_crop(one: Crop, other: Crop) -> bool:
    return (
        one.maps.keys() == other.maps.keys()
        and all(np.array_equal(one.maps[name], other.maps[name]) for name in one.maps)
        and one.source.content == other.source.content
        and np.array_equal(one.source.pixels, other.source.pixels)
        and np.array_equal(one.translation, other.translation)
        and one.to_frame == other.to_frame
    )


def _same_scene(one: Scene | None, other: Scene | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one.pixels, other.pixels) and one[1:] == other[1:]
