"""Draw a network's attention: colours, overlay, colour bar."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling

from models.bundle.declarations import HeatMap
from models.images.colormaps import Colormap, table

__all__ = [
    "Colormap",
    "colorize",
    "legend",
    "levels",
    "normalize",
    "overlay",
    "own_range",
    "paint",
    "scale",
    "value_range",
]

_FLAT: Final = 1e-5


def value_range(values: NDArray[np.float32], declared: HeatMap) -> tuple[float, float]:
    """Return the values that the lowest and the highest colour of a map, float32 [h, w], stand for.

    Those are a relevance's own least and greatest values, and the ends of a mask's declared range.
    """
    return declared.mask_range or own_range(values)


def own_range(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return a map's least and greatest values, or one value twice if it is flat (see `normalize`)."""
    low = float(values.min())
    return low, low if _flat(values) else float(values.max())


def scale(values: NDArray[np.float32], declared: HeatMap) -> NDArray[np.float32]:
    """Return a map, float32 [h, w], as values from 0 to 1 that are coloured.

    A relevance's own least and greatest values become 0 and 1, a mask's ends of its declared range.
    """
    if declared.mask_range is None:
        return normalize(values)
    low, high = declared.mask_range
    return np.asarray(np.clip((values - low) / (high - low), 0, 1), dtype=np.float32)


def normalize(attention: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale a map, float32 [h, w] of any range, to [0, 1]; a map of equal values becomes zeros.

    Differences below 1e-5 of the largest value are rounding errors and count as equal.

    For maps whose values have only a relative meaning, such as a CAM. A mask, whose values in [0, 1] have an
    absolute meaning, is coloured without this.
    """
    assert np.isfinite(attention).all(), "an attention map is finite"
    if _flat(attention):
        return np.zeros_like(attention)
    values = attention.astype(np.float64)  # the difference of two float32 can exceed float32
    return np.asarray((values - values.min()) / np.ptp(values), dtype=np.float32)


def _flat(values: NDArray[np.float32]) -> bool:
    exact = values.astype(np.float64)
    return bool(np.ptp(exact) <= _FLAT * np.abs(exact).max())


def colorize(map01: NDArray[np.float32], *, height: int, width: int, colormap: Colormap) -> NDArray[np.uint8]:
    """Return colours, uint8 [height, width, 3], for a map, float32 [h, w] in [0, 1].

    The values are interpolated, not the colours: between red and blue is the map's green, not purple.
    """
    assert map01.min() >= 0, "a map's values start at 0; see normalize"
    assert map01.max() <= 1, "a map's values end at 1; see normalize"
    return np.asarray(paint(levels(map01, height=height, width=width), colormap))


def levels(map01: NDArray[np.float32], *, height: int, width: int) -> Image.Image:
    """Return a map, float32 [h, w] in [0, 1], as a grey picture of another size."""
    grey = Image.fromarray((map01 * 255 + 0.5).astype(np.uint8))
    return grey.resize((width, height), Resampling.BICUBIC)


def paint(grey: Image.Image, colormap: Colormap) -> Image.Image:
    """Return a grey picture in the colours of a map; `grey` becomes a picture with a palette."""
    grey.putpalette(table(colormap).tobytes())  # three times as fast as indexing the table
    return grey.convert("RGB")


def overlay(
    base: NDArray[np.uint8], map01: NDArray[np.float32], *, colormap: Colormap, alpha: float
) -> NDArray[np.uint8]:
    """Blend a map's colours over a picture, uint8 [H, W, 3]; `alpha` 0 is the picture, 1 the colours."""
    assert 0 <= alpha <= 1, "alpha is a share"
    colours = colorize(map01, height=base.shape[0], width=base.shape[1], colormap=colormap)
    weight = np.uint16(round(alpha * 256))  # of 256, so that 0 and 1 are exact and 16 bits suffice
    blend = base * (np.uint16(256) - weight) + colours * weight + np.uint16(128)
    return (blend >> 8).astype(np.uint8)


def legend(colormap: Colormap, *, width: int, height: int) -> NDArray[np.uint8]:
    """Return a map's colours from the lowest (left) to the highest (right): uint8 [height, width, 3]."""
    levels = np.linspace(0, 255, width).round().astype(np.uint8)
    return np.broadcast_to(table(colormap)[levels], (height, width, 3)).copy()
