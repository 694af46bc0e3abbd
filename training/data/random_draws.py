"""Random numbers as a pure function of seed, purpose, domain and position, equal in any order and process.

Only numpy's bit generators and seed sequences are used. numpy guarantees their values across versions, not
those of its distributions and permutations, and a run may be resumed under a newer numpy.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.data.folder import DOMAINS, Domain


class Purpose(IntEnum):
    """What the numbers decide. Each purpose has its own numbers."""

    ORDER = 0
    AUGMENT = 1
    COIN = 2


def random_words(
    count: int, seed: int, purpose: Purpose, domain: Domain, position: int, *, of_set: int = 0
) -> NDArray[np.uint64]:
    """Return independent uniform 64-bit words, uint64 [count], for one position of one domain.

    Args:
        count: how many words.
        seed: the run's.
        purpose: what the words decide.
        domain: whose pictures they decide about.
        position: the number of the sample or of the epoch.
        of_set: the number of a derived set of the domain; 0 for the pictures themselves.
    """
    key = (purpose, DOMAINS.index(domain), position, *([of_set] if of_set else []))
    source = np.random.SeedSequence(seed, spawn_key=key)
    return np.random.PCG64(source).random_raw(count)


def picture_index(seed: int, domain: Domain, sample: int, pictures: int, *, of_set: int = 0) -> int:
    """Return the index of the picture that a sample shows: each once an epoch, in a new order each epoch."""
    epoch, position = divmod(sample, pictures)
    return int(_order(seed, domain, epoch, pictures, of_set)[position])


@lru_cache(maxsize=8)  # two domains and a derived set at the border of two epochs need 6
def _order(seed: int, domain: Domain, epoch: int, pictures: int, of_set: int) -> NDArray[np.intp]:
    words = random_words(pictures, seed, Purpose.ORDER, domain, epoch, of_set=of_set)
    return np.argsort(words, kind="stable")
