"""Sets of pictures that are computed from a domain's pictures, such as edge-smoothed ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.folder import Domain


@dataclass(frozen=True, kw_only=True)
class DerivedSet:
    """A set of pictures, one for each training picture of a domain.

    A picture is derived after it is resized and before it is flipped and cropped; the cache holds the result.
    Its order, flips and crops are the set's own.
    """

    name: str
    """Its key in a batch, such as `B_smooth`."""
    domain: Domain
    """The domain whose pictures it is computed from."""
    number: int
    """Chooses its random numbers: at least 1, and another for each set of a method."""
    derive: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
    """Computes a picture from a resized one, uint8 `[h, w, 3]` to the same shape."""
