"""Draw the style code of a seed: the same numbers on every machine, in every version."""

from __future__ import annotations

import hashlib
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

DEFAULT_SEED: Final = 0
"""Of a translation for which nobody chose a style."""
LARGEST_SEED: Final = 2**53 - 1
"""The largest integer that every reader of JSON reads exactly."""

_BYTES: Final = 8
_BITS: Final = 52
"""Of a uniform number: with the half that is added, as many as a float64 holds."""


def draw_style(seed: int, dimension: int) -> NDArray[np.float32]:
    """Return a style code `[dimension]` whose numbers are drawn from N(0, 1).

    NumPy and torch may draw other numbers in their next version, so the generator is written here. SHAKE-256
    of the text `ugatit style SEED` (ASCII, the seed in decimal digits) is cut into pieces of 8 bytes, one for
    each number. The first 52 bits of a piece are an integer n, and the number is the quantile of N(0, 1) at
    (n + 0.5) / 2^52, rounded to float32. A longer code of the same seed begins with the shorter one.
    """
    assert 0 <= seed <= LARGEST_SEED, seed
    bytes_ = hashlib.shake_256(f"ugatit style {seed}".encode()).digest(_BYTES * dimension)
    integers = np.frombuffer(bytes_, ">u8") >> np.uint64(_BYTES * 8 - _BITS)
    normal = NormalDist()
    numbers = [normal.inv_cdf((int(n) + 0.5) / 2**_BITS) for n in integers]
    return np.array(numbers, np.float32)
