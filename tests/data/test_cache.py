"""Test the cache of decoded pictures."""

import numpy as np
from numpy.typing import NDArray

from training.data.cache import PictureCache


def test_cache_fills_its_budget_exactly_and_loads_the_rest_again() -> None:
    loaded: list[int] = []

    def load(key: int) -> NDArray[np.uint8]:
        loaded.append(key)
        return np.full((10, 10, 3), key, np.uint8)

    cache = PictureCache(load, budget_bytes=600)
    for _ in range(3):
        assert [int(cache[key][0, 0, 0]) for key in range(4)] == [0, 1, 2, 3]
    assert loaded == [0, 1, 2, 3, 2, 3, 2, 3]
