"""The pictures kept in memory."""

import numpy as np
from numpy.typing import NDArray

from training.data.cache import PictureCache


def test_the_budget_is_kept_to_the_byte_and_the_rest_is_loaded_again() -> None:
    loaded: list[int] = []

    def load(key: int) -> NDArray[np.uint8]:
        loaded.append(key)
        return np.full((10, 10, 3), key, np.uint8)

    cache = PictureCache(load, budget_bytes=600)
    for _ in range(3):
        assert [int(cache[key][0, 0, 0]) for key in range(4)] == [0, 1, 2, 3]
    assert loaded == [0, 1, 2, 3, 2, 3, 2, 3]
