"""Pictures drawn by code, encoded as files."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.bundle.canary import smooth_picture


def encoded(pixels: NDArray[np.uint8], form: str = "PNG") -> bytes:
    """A picture `[H, W, 3]` as the bytes of a file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


def photo(height: int = 32, width: int = 32, *, form: str = "PNG", seed: int = 1) -> bytes:
    """A smooth random picture as the bytes of a file."""
    return encoded(smooth_picture(height, width, seed=seed), form)


def pixels_of(data: bytes) -> NDArray[np.uint8]:
    """The pixels of an encoded picture, `[H, W, 3]`."""
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
