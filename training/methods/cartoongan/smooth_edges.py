"""Blur the edges of a cartoon: the pictures that CartoonGAN's discriminator must tell from cartoons.

Section 3.2 of the paper: find edges by Canny's detector, widen them, and blur only there.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Mask = NDArray[np.bool_]

LOW: Final = 100
HIGH: Final = 200
"""Thresholds of Canny's detector, of the sum of both absolute Sobel gradients."""
REACH: Final = 2
"""Pixels by which an edge is widened on every side: a square of 5x5."""
TAPS: Final = (1, 4, 6, 4, 1)
"""Of the blur along each axis, in sixteenths: a Gaussian."""

_TANGENTS: Final = 1 << 15
_TANGENT_22: Final = 13573
"""The tangent of 22.5 degrees, in units of 1 / 32768."""


def smooth_edges(picture: Picture) -> Picture:
    """Return a copy of a picture `[H, W, 3]`, blurred at and beside its edges; always the same one."""
    near_edges = widen(canny(grey(picture)))
    return np.where(near_edges[..., None], blur(picture), picture)


def grey(picture: Picture) -> Picture:
    """Return the brightness `[H, W]` of a picture `[H, W, 3]` (ITU-R BT.601), rounded."""
    weighted = picture.astype(np.int32) @ np.array([9798, 19235, 3735], np.int32)  # of 32768
    return ((weighted + (1 << 14)) >> 15).astype(np.uint8)


def canny(brightness: Picture) -> Mask:
    """Return the edges `[H, W]` of a brightness `[H, W]` by Canny's detector (Canny 1986)."""
    across, down = _sobel(brightness)
    strength = np.abs(across) + np.abs(down)
    candidates = (strength > LOW) & _is_ridge(across, down, strength)
    return _connected(candidates & (strength > HIGH), candidates)


def widen(mask: Mask) -> Mask:
    """Return the pixels that are at most `REACH` rows and columns from the mask."""
    size = 2 * REACH + 1
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(mask, REACH), (size, size))
    return np.asarray(windows.any((-2, -1)), np.bool_)


def blur(picture: Picture) -> Picture:
    """Return a picture `[H, W, 3]` blurred by a Gaussian of 5x5, rounded; its borders are reflected."""
    sums = picture.astype(np.int32)
    for axis in (0, 1):
        pads = [(REACH, REACH) if each == axis else (0, 0) for each in range(3)]
        windows = np.lib.stride_tricks.sliding_window_view(
            np.pad(sums, pads, mode="reflect"), len(TAPS), axis=axis
        )
        sums = windows @ np.array(TAPS, np.int32)
    return ((sums + 128) >> 8).astype(np.uint8)


def _sobel(brightness: Picture) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the gradients to the right and downwards, `[H, W]` each; the border is repeated."""
    padded = np.pad(brightness.astype(np.int32), 1, mode="edge")
    columns = padded[:, 2:] - padded[:, :-2]
    rows = padded[2:] - padded[:-2]
    across = columns[:-2] + 2 * columns[1:-1] + columns[2:]
    down = rows[:, :-2] + 2 * rows[:, 1:-1] + rows[:, 2:]
    return across, down


def _is_ridge(across: NDArray[np.int32], down: NDArray[np.int32], strength: NDArray[np.int32]) -> Mask:
    """Return where a gradient is the largest along its direction, of which four are told apart."""
    height, width = strength.shape
    padded = np.pad(strength, 1)

    def neighbour(rows: int, columns: int) -> NDArray[np.int32]:
        return padded[1 + rows : 1 + rows + height, 1 + columns : 1 + columns + width]

    x, y = np.abs(across).astype(np.int64), np.abs(down).astype(np.int64) * _TANGENTS
    flat, steep = x * _TANGENT_22, x * (_TANGENT_22 + 2 * _TANGENTS)
    along_row = (strength > neighbour(0, -1)) & (strength >= neighbour(0, 1))
    along_column = (strength > neighbour(-1, 0)) & (strength >= neighbour(1, 0))
    falling = (strength > neighbour(-1, -1)) & (strength > neighbour(1, 1))
    rising = (strength > neighbour(-1, 1)) & (strength > neighbour(1, -1))
    diagonal = np.where((across ^ down) < 0, rising, falling)
    return np.where(y < flat, along_row, np.where(y > steep, along_column, diagonal))


def _connected(seeds: Mask, allowed: Mask) -> Mask:
    """Return the allowed pixels that a chain of allowed neighbours connects to a seed."""
    found, count = seeds, -1
    while count != (count := int(found.sum())):
        near = np.pad(found, 1)
        near = near[:-2] | near[1:-1] | near[2:]
        found = allowed & (near[:, :-2] | near[:, 1:-1] | near[:, 2:])
    return found
