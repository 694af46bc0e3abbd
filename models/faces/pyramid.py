"""A photo at several sizes, from which the networks of the cascade get their inputs."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.Image import Resampling, Transform

from models.faces.boxes import Boxes

LONGER_SIDE: Final = 1400
"""About the longer side that is searched. More pixels of a larger photo would cost time, not find more."""

_SMALLEST_LEVEL: Final = 12
_BRIGHT: Final = 150
_MOST_GAIN: Final = 6.0

Input = NDArray[np.float32]
"""Pictures [N, 3, H, W] with values from -1 to 1, as the networks were trained."""


class Pyramid:
    """A photo at about `LONGER_SIDE` pixels, and its halves down to a few pixels.

    All places are in pixels of the largest level, each of which is `shrink` pixels of the photo.
    """

    def __init__(self, photo: NDArray[np.uint8]) -> None:
        """Take a photo, uint8 [H, W, 3]."""
        step = max(1, round(max(photo.shape[:2]) / LONGER_SIDE))
        # Every n-th pixel: the next level averages them. An average of all pixels of a 12-megapixel photo
        # takes longer than the whole search, and finds the same faces.
        image = Image.fromarray(np.ascontiguousarray(photo[::step, ::step]))
        self.shrink = step
        self._levels = _halves(image)
        gain = _gain(self._levels[-1])
        if gain > 1:
            self._levels = [level.point(_gain_table(gain)) for level in self._levels]

    @property
    def size(self) -> tuple[int, int]:
        """Return the width and height of the largest level."""
        return self._levels[0].size

    def whole(self, scale: float, *, margin: int) -> Input:
        """Return the photo at a scale up to 1, with a black margin of so many pixels, as [1, 3, h, w]."""
        width, height = (max(1, round(side * scale)) for side in self.size)
        level = next(each for each in reversed(self._levels) if each.width >= width and each.height >= height)
        small = np.asarray(level.resize((width, height), Resampling.BILINEAR))
        return _input(np.pad(small, ((margin, margin), (margin, margin), (0, 0)))[None])

    def parts(self, squares: Boxes, side: int) -> Input:
        """Return the parts in squares [N, 4] at `side` x `side` pixels, [N, 3, side, side]; black outside."""
        pixels = np.empty((len(squares), side, side, 3), dtype=np.uint8)
        for index, square in enumerate(squares.tolist()):
            pixels[index] = np.asarray(self._part(square, side))
        return _input(pixels)

    def turned_parts(self, squares: Boxes, side: int, turns: Boxes) -> Input:
        """Return the parts in squares that are turned about their centres by `turns` [N] in radians."""
        pixels = np.empty((len(squares), side, side, 3), dtype=np.uint8)
        for index, (square, turn) in enumerate(zip(squares.tolist(), turns.tolist(), strict=True)):
            level, (left, top, right, bottom) = self._fitting(square, side)
            cosine, sine = math.cos(turn) * (right - left) / side, math.sin(turn) * (right - left) / side
            x, y = (left + right - (cosine - sine) * side) / 2, (top + bottom - (sine + cosine) * side) / 2
            affine = (cosine, -sine, x, sine, cosine, y)
            part = level.transform((side, side), Transform.AFFINE, affine, Resampling.BILINEAR)
            pixels[index] = np.asarray(part)
        return _input(pixels)

    def _part(self, square: list[float], side: int) -> Image.Image:
        level, (left, top, right, bottom) = self._fitting(square, side)
        if left < 0 or top < 0 or right > level.width or bottom > level.height:
            x, y = math.floor(left), math.floor(top)
            level = level.crop((x, y, math.ceil(right), math.ceil(bottom)))
            left, top, right, bottom = left - x, top - y, right - x, bottom - y
        return level.resize((side, side), Resampling.BILINEAR, box=(left, top, right, bottom))

    def _fitting(self, square: list[float], side: int) -> tuple[Image.Image, list[float]]:
        """Return the smallest level with enough pixels for a square, and the square in its pixels."""
        number = min(max(0, int(math.log2((square[2] - square[0]) / side))), len(self._levels) - 1)
        return self._levels[number], [edge * 0.5**number for edge in square]


def _halves(image: Image.Image) -> list[Image.Image]:
    levels = [image]
    while min(levels[-1].size) >= 2 * _SMALLEST_LEVEL:
        levels.append(levels[-1].reduce(2))
    return levels


def _gain(small: Image.Image) -> float:
    """Return the factor that makes the lightest parts of a dark photo bright; 1 for other photos."""
    light = float(np.percentile(np.asarray(small.convert("L")), 95))
    return min(_BRIGHT / max(light, 1.0), _MOST_GAIN)


def _gain_table(gain: float) -> list[int]:
    return [min(255, int(level * gain)) for level in range(256)] * 3


def _input(pixels: NDArray[np.uint8]) -> Input:
    channels_first = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32)
    channels_first -= 127.5
    channels_first /= 128
    return channels_first
