"""The photo back from its translation, by the opposite direction: the cycle of the networks' training."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.runtime.session import Execution
from models.bundle.manifest import ImageSize, Manifest
from models.images.frame import Frame, crop, resize


class Reconstruction(NamedTuple):
    """A photo back from its translation."""

    pixels: NDArray[np.uint8]
    """`[H, W, 3]`, without padding, at the size of the network's input."""
    l1: float
    """The mean distance to the network's input, in levels from 0 to 255."""
    version: str
    """Of the opposite direction's bundle, with where and how its model ran."""


def opposite_of(manifest: Manifest) -> str:
    """Return the name of the direction from a translator's target to its source."""
    return f"{manifest.target}2{manifest.source}"


def version_as_run(version: str, execution: Execution | None) -> str:
    """Return what names a bundle as it runs: another provider or precision may give other pixels."""
    return version if execution is None else " ".join((version, *execution))


def joined_versions(version: str, opposite: str | None) -> str:
    """Return what names the bundles of both directions; that of the first alone without an opposite."""
    return version if opposite is None else f"{version} {opposite}"


def back_input(translation: NDArray[np.uint8], own: ImageSize, opposite: ImageSize) -> NDArray[np.uint8]:
    """Return a translation `[H, W, 3]` as the opposite network's input.

    A photo at its own shape (fit=native) keeps it, if the opposite network takes any size.
    """
    size = translation.shape[:2]
    native = size != (own.height, own.width)
    if size == (opposite.height, opposite.width) or (native and not opposite.fixed):
        return translation
    return resize(translation, height=opposite.height, width=opposite.width)


def compare(source: Frame, reconstructed: NDArray[np.uint8], version: str) -> Reconstruction:
    """Return a reconstruction without its padding, and its distance to the source."""
    height, width = source.pixels.shape[:2]
    pixels = reconstructed
    if pixels.shape != source.pixels.shape:
        pixels = resize(pixels, height=height, width=width)
    pixels, before = crop(pixels, source.content), crop(source.pixels, source.content)
    return Reconstruction(pixels, float(np.abs(pixels.astype(np.int16) - before).mean()), version)
