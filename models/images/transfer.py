"""Transfer functions by their number in ITU-T H.273, table 3: from a signal to linear light, both 0 to 1."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float64]


def _power(exponent: float) -> Callable[[Signal], Signal]:
    return lambda signal: signal**exponent


def _smpte240(signal: Signal) -> Signal:
    return np.where(signal < 0.0912, signal / 4, ((signal + 0.1115) / 1.1115) ** (1 / 0.45))


def _srgb(signal: Signal) -> Signal:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def _smpte428(signal: Signal) -> Signal:
    return signal**2.6 * 52.37 / 48


def _pq(signal: Signal) -> Signal:
    """Return the light of SMPTE ST 2084, absolute up to 10,000 cd/m2, tone-mapped."""
    root = signal ** (32 / 2523)
    light = np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)
    return _tone_map(10_000 * light ** (16384 / 2610))


def _hlg(signal: Signal) -> Signal:
    """Return the light of ARIB STD-B67 on a display of 1,000 cd/m2 (system gamma 1.2), tone-mapped."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return _tone_map(1000 * scene**1.2)


# How Chromium shows absolute light on a screen without high dynamic range, measured on a grey ramp: linear up
# to paper white, with highlights up to 1,000 cd/m2 compressed above it. Chromium compresses the three colours
# by the brightest one; a curve for each, as here, makes saturated highlights paler.
_LUMINANCE = (0, 226, 316, 424, 567, 757, 1010)
_SHOWN = (0, 0.557, 0.665, 0.761, 0.847, 0.922, 1)


def _tone_map(luminance: Signal) -> Signal:
    return np.interp(luminance, _LUMINANCE, _SHOWN)


# BT.709, BT.601 and BT.2020 as screens show them (BT.1886), not as cameras encode them.
_VIDEO = _power(2.4)

TRANSFERS: Mapping[int, Callable[[Signal], Signal]] = {
    1: _VIDEO,
    4: _power(2.2),
    5: _power(2.8),
    6: _VIDEO,
    7: _smpte240,
    8: _power(1),
    11: _VIDEO,
    12: _VIDEO,
    13: _srgb,
    14: _VIDEO,
    15: _VIDEO,
    16: _pq,
    17: _smpte428,
    18: _hlg,
}
