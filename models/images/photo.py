"""What a decoded picture file is: upright frames in sRGB, and the size in the file."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Photo(NamedTuple):
    """A decoded picture file."""

    frames: tuple[NDArray[np.uint8], ...]
    """Each [H, W, 3], smaller than in the file if fewer pixels were enough; one, but for an animation."""
    height: int
    """Of the picture in the file, upright."""
    width: int

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The first frame."""
        return self.frames[0]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the picture in the file, upright."""
        return self.height, self.width
