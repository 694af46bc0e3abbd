"""Blurred edges of cartoons: OpenCV's Canny(100, 200), a dilation by 5x5, and its 5x5 Gaussian.

The checksums are those of OpenCV 4's results for the same picture.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from training.methods.cartoongan.smooth_edges import blur, canny, grey, smooth_edges, widen


def drawn_picture() -> NDArray[np.uint8]:
    """A disc and a wave of colours, uint8 [48, 64, 3]: edges of all directions, strong and weak."""
    y, x = np.mgrid[:48, :64].astype(np.float64)
    wave = np.stack([x * y % 97 * 2, (x + 2 * y) % 120, 120 + 100 * np.sin(x / 5 + y / 9)], -1)
    wave[(x - 30) ** 2 + (y - 20) ** 2 < 150] = (250, 30, 60)
    return wave.astype(np.uint8)


def checksum(values: NDArray[np.generic]) -> int:
    return zlib.crc32(values.astype(np.uint8).tobytes())


def test_every_stage_equals_opencv() -> None:
    picture = drawn_picture()
    edges = canny(grey(picture))
    assert int(edges.sum()) == 370
    assert checksum(grey(picture)) == 1_893_639_569
    assert checksum(edges) == 442_476_438
    assert checksum(widen(edges)) == 3_262_011_191
    assert checksum(blur(picture)) == 3_771_318_680


def test_a_picture_without_edges_stays_as_it_is() -> None:
    ramp = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 3, 2).repeat(32, 0)
    assert np.array_equal(smooth_edges(ramp), ramp)


def test_only_pixels_at_an_edge_are_blurred() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:, 16:] = 255
    columns = np.flatnonzero((smooth_edges(picture) != picture).any((0, 2)))
    assert set(columns) == {14, 15, 16, 17}
    assert smooth_edges(picture)[5, 15, 0] == 80  # 5 of 16 parts of white


def test_a_weak_edge_counts_only_beside_a_strong_one() -> None:
    weak = np.full((16, 16), 100, np.uint8)
    weak[:, 8:] = 140  # a gradient of 160, between both thresholds
    assert not canny(weak).any()
    weak[0, 8:] = 200  # a strong edge at one end
    assert canny(weak)[:, 7:9].any(1).all()
