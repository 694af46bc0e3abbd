"""Find flat pictures, of nearly one colour: training learns nothing from them and can diverge on them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NEARLY_FLAT: Final = 0.9
"""Least share of one colour of a nearly flat picture. A training crop leaves out up to a fifth of the area,
so the rest of such a picture can be outside the crop."""
LEVELS: Final = 4.0
"""Largest distance from the picture's median colour, of 255, that still counts as it: compression noise."""

_CELLS: Final = 32


def flat_share(pixels: NDArray[np.uint8]) -> float:
    """Return the share of a picture's area that has its median colour, 0 to 1.

    The picture, uint8 [H, W, 3], is compared as 32 x 32 means. There a drawing of thin lines covers the area
    that it is drawn over, and a small logo only its own.
    """
    image = Image.fromarray(pixels)
    cells = np.asarray(image.resize((_CELLS, _CELLS), Image.Resampling.BOX), np.float32)  # [32, 32, 3]
    distance = np.abs(cells - np.median(cells, axis=(0, 1))).max(axis=2)  # [32, 32]
    return float((distance <= LEVELS).mean())
