"""Chance as a pure function: the same seed and place give the same numbers, in any order and process.

Only numpy's bit generators and seed sequences are used, whose values no version of numpy changes; its
distributions and permutations carry no such promise, and a run may be resumed under a newer numpy.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.data.folder import DOMAINS, Domain


class Purpose(IntEnum):
    """What the numbers are for, so that no two purposes share them."""

    ORDER = 0
    AUGMENT = 1
    COIN = 2


def words(count: int, seed: int, purpose: Purpose, domain: Domain, place: int) -> NDArray[np.uint64]:
    """Independent uniform 64-bit words, uint64 [count], for one place of one domain."""
    source = np.random.SeedSequence(seed, spawn_key=(purpose, DOMAINS.index(domain), place))
    return np.random.PCG64(source).random_raw(count)


def picture_index(seed: int, domain: Domain, sample: int, pictures: int) -> int:
    """Which of a domain's pictures a sample shows: each once an epoch, in another order every epoch."""
    epoch, position = divmod(sample, pictures)
    return int(_order(seed, domain, epoch, pictures)[position])


@lru_cache(maxsize=8)  # both domains, at the border of two epochs, and room to spare
def _order(seed: int, domain: Domain, epoch: int, pictures: int) -> NDArray[np.intp]:
    return np.argsort(words(pictures, seed, Purpose.ORDER, domain, epoch), kind="stable")
