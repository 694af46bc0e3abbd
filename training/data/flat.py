"""Pictures of a single colour, or nearly so: a network learns nothing from them, and can break on them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NEARLY: Final = 0.9
"""The least share of a picture that makes it nearly flat. A training crop leaves out up to a fifth of the
area, so that what little is not flat may be outside."""
LEVELS: Final = 4.0
"""How far a part may be from the picture's median colour, of 255: noise of compression, or none at all."""

_CELLS: Final = 32


def flat_share(pixels: NDArray[np.uint8]) -> float:
    """Return the share of a picture's area that has its median colour, 0 to 1.

    The picture, uint8 [H, W, 3], is compared as 32 x 32 means, in which a drawing of thin lines covers the
    area that it is drawn over, and a small logo only its own.
    """
    image = Image.fromarray(pixels)
    cells = np.asarray(image.resize((_CELLS, _CELLS), Image.Resampling.BOX), np.float32)  # [32, 32, 3]
    distance = np.abs(cells - np.median(cells, axis=(0, 1))).max(axis=2)  # [32, 32]
    return float((distance <= LEVELS).mean())
