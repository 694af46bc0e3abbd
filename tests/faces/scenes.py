"""Photos for the detector: the shipped portrait on canvases of any size, turned, mirrored and scaled."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]

PORTRAIT = Path(__file__).parents[1] / "photo.jpg"
GREY = (110, 120, 125)


@cache
def portrait() -> Image.Image:
    with Image.open(PORTRAIT) as picture:
        return picture.convert("RGB")


def scene(
    *places: tuple[int, int], side: int = 120, turned: float = 0, size: tuple[int, int] = (640, 480)
) -> Pixels:
    """Return a grey canvas of `size` (width, height) with a portrait of `side` px centred at each place."""
    canvas = Image.new("RGB", size, GREY)
    patch = portrait().resize((side, side), Image.Resampling.LANCZOS)
    patch.putalpha(255)
    patch = patch.rotate(-turned, Image.Resampling.BICUBIC, expand=True)
    for x, y in places:
        canvas.paste(patch, (x - patch.width // 2, y - patch.height // 2), patch)
    return np.asarray(canvas)


def foliage(height: int, width: int) -> Pixels:
    """Return a busy picture without faces: coloured noise at many scales."""
    random = np.random.default_rng(7)
    total = np.zeros((height, width, 3), np.float32)
    for scale in (4, 8, 16, 32, 64):
        small = random.integers(0, 256, (height // scale + 1, width // scale + 1, 3), dtype=np.uint8)
        large = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(large.filter(ImageFilter.SHARPEN))
    return (total / 5).astype(np.uint8)
