"""A cache of decoded pictures with a budget in bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Key = TypeVar("Key", bound=Hashable)


class PictureCache(Generic[Key]):
    """Loads pictures and keeps the first ones that fit into the budget.

    It never drops a picture for a newer one: an epoch shows every picture once, so the dropped picture would
    be needed as soon as the new one. Safe to use from many threads.
    """

    def __init__(self, load: Callable[[Key], NDArray[np.uint8]], budget_bytes: int) -> None:
        self._load = load
        self._left_bytes = budget_bytes
        self._kept: dict[Key, NDArray[np.uint8]] = {}
        self._lock = Lock()

    def __getitem__(self, key: Key) -> NDArray[np.uint8]:
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        picture = self._load(key)  # outside the lock, so that other threads can decode too
        with self._lock:
            if key not in self._kept and picture.nbytes <= self._left_bytes:
                self._left_bytes -= picture.nbytes
                self._kept[key] = picture
        return picture
