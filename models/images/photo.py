"""What a decoded picture is: upright pixels in sRGB, and the size in the file."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Photo(NamedTuple):
    """A decoded picture: a file, or one frame of an animated file."""

    pixels: NDArray[np.uint8]
    """[H, W, 3], smaller than in the file if fewer pixels were enough."""
    height: int
    """Of the picture in the file, upright."""
    width: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in the file, upright."""
        return self.height, self.width
