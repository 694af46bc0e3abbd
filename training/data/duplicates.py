"""Pictures that show the same, whatever their size and compression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HASH_BITS: Final = 512
MAX_BITS: Final = 32
"""Two pictures may differ in so many bits of the hash. Measured on 5,400 pictures of six kinds: at most 24
after losing three quarters of the pixels and JPEG quality 40; over 40 between different photos or paintings.
"""
MAX_LEVELS: Final = 4.0
"""And in their colours by so much, the mean over 8 x 8 fields, of 255. The same copies: at most 1.6. Drawings
from a kit, which differ in the colour of the hair only, are told apart by this."""

_CELLS: Final = 16
_FIELDS: Final = 8
_FLAT_LEVELS: Final = 4.0  # smaller steps are noise of the compression, in even areas above all
_ROWS_AT_ONCE: Final = 256  # against all others: bounds the memory


class Look(NamedTuple):
    """What is remembered of a picture."""

    hash: NDArray[np.uint64]  # [8]: where 16 x 16 cells grow brighter to the right, and downwards
    colours: NDArray[np.float32]  # [192]: the mean colours of 8 x 8 fields, 0 to 255


def look_at(pixels: NDArray[np.uint8]) -> Look:
    """A picture's difference hash and coarse colours; pixels are uint8 [H, W, 3]."""
    image = Image.fromarray(pixels)
    grey = image.convert("L")
    right = np.diff(_means(grey, _CELLS + 1, _CELLS), axis=1)
    down = np.diff(_means(grey, _CELLS, _CELLS + 1), axis=0)
    bits = np.concatenate([right.ravel(), down.ravel()]) > _FLAT_LEVELS
    return Look(np.packbits(bits).view(np.uint64), _means(image, _FIELDS, _FIELDS).ravel())


def alike(looks: Sequence[Look]) -> list[list[int]]:
    """Groups of pictures that look the same, as ascending indices; most pictures are in none.

    Time grows with the square of their number: a quarter of a second for 5,000, half a minute for 50,000.
    """
    groups: dict[int, list[int]] = {}
    for index, leader in enumerate(_leaders(looks)):
        groups.setdefault(leader, []).append(index)
    return [group for group in groups.values() if len(group) > 1]


def _leaders(looks: Sequence[Look]) -> list[int]:
    """For each picture the first of those that it resembles, directly or through others."""
    leaders = list(range(len(looks)))

    def leader(index: int) -> int:
        while leaders[index] != index:
            leaders[index] = index = leaders[leaders[index]]
        return index

    for first, second in _pairs(looks):
        one, other = sorted((leader(first), leader(second)))
        leaders[other] = one
    return [leader(index) for index in range(len(looks))]


def _pairs(looks: Sequence[Look]) -> Iterator[tuple[int, int]]:
    if not looks:
        return
    hashes = np.stack([look.hash for look in looks])  # [N, 8]
    colours = np.stack([look.colours for look in looks])  # [N, 192]
    for start in range(0, len(looks), _ROWS_AT_ONCE):
        bits = _distances(hashes[start : start + _ROWS_AT_ONCE], hashes[start:])  # [R, N - start]
        rows, columns = np.nonzero(np.triu(bits <= MAX_BITS, k=1))
        near = np.abs(colours[start + rows] - colours[start + columns]).mean(axis=1) <= MAX_LEVELS
        yield from zip((start + rows[near]).tolist(), (start + columns[near]).tolist(), strict=True)


def _distances(ones: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """In how many bits each of the ones, [R, 8], differs from each of the others, [N, 8]."""
    bits = np.zeros((len(ones), len(others)), np.uint16)
    for mine, theirs in zip(ones.T, others.T, strict=True):  # word by word
        bits += np.bitwise_count(mine[:, None] ^ theirs)
    return bits


def _means(image: Image.Image, width: int, height: int) -> NDArray[np.float32]:
    return np.asarray(image.resize((width, height), Image.Resampling.BOX), np.float32)
