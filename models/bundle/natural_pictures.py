"""Draw pictures with the statistics of photos, on which canaries measure what a lower precision costs.

They are drawn, not taken from a data set: a bundle passes to anybody who gets it, and a photo would too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_LEAVES: Final = 60
_TEXTURES: Final = 5
_CHROMA: Final = 0.35
"""The share of a colour that differs between the channels: photos are mostly light and shade."""


def natural_pictures(count: int, height: int, width: int, *, seed: int) -> NDArray[np.uint8]:
    """Draw `[count, height, width, 3]`: opaque discs over each other, each with a texture of 1/f noise.

    Discs of all sizes that cover each other have the edges of photos (the dead leaves model; Lee, Mumford and
    Huang 2001), and 1/f noise has their spectrum (Field 1987).
    """
    random = np.random.default_rng(seed)
    return np.stack([_picture(height, width, random) for _ in range(count)])


def _picture(height: int, width: int, random: np.random.Generator) -> NDArray[np.uint8]:
    textures = [_noise(height, width, random) for _ in range(_TEXTURES)]
    values = _colour(random) + 0.3 * textures[0]
    y, x = np.mgrid[0:height, 0:width]
    for _ in range(_LEAVES):
        radius = min(height, width) * 0.03 / random.uniform(0.06, 1)  # at most half of the side
        inside = (y - random.uniform(0, height)) ** 2 + (x - random.uniform(0, width)) ** 2 < radius**2
        leaf = _colour(random) + random.uniform(0, 0.3) * textures[random.integers(_TEXTURES)]
        values[inside] = leaf[inside]
    levels: NDArray[np.uint8] = np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
    return levels


def _colour(random: np.random.Generator) -> NDArray[np.float64]:
    grey, tint = random.uniform(0, 1), random.uniform(-0.5, 0.5, 3)
    return np.full(3, grey) + _CHROMA * tint


def _noise(height: int, width: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return noise `[height, width, 1]` whose amplitudes fall with 1/f, with a deviation of 0.5."""
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = np.inf  # the mean is 0
    spectrum = np.fft.rfft2(random.standard_normal((height, width))) / frequency
    noise: NDArray[np.float64] = np.fft.irfft2(spectrum, (height, width))
    scaled: NDArray[np.float64] = 0.5 * noise / noise.std()
    return scaled[..., None]
