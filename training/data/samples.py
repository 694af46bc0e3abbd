"""The endless samples of each domain: number k is a picture, its flip and its crop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.images.decode import PictureError
from training.data.augment import draw, flip_and_crop, resize, resized_side
from training.data.cache import PictureCache
from training.data.config import DataConfig
from training.data.derived import DerivedSet
from training.data.errors import DataError
from training.data.folder import DOMAINS, Domain
from training.data.open_pictures import read_picture
from training.data.random_draws import picture_index


class Samples:
    """The endless samples of each domain, a pure function of seed, domain and number.

    Safe to use from many threads. The cache changes the time only, never a sample.
    """

    def __init__(self, pictures: Mapping[Domain, Sequence[Path]], config: DataConfig, *, seed: int) -> None:
        self._pictures = pictures
        self._config = config
        self._seed = seed
        self._sides = {domain: resized_side(config, seed, domain) for domain in DOMAINS}
        self._cache = PictureCache(self._load, config.cache_bytes)

    def sample(self, domain: Domain, number: int) -> NDArray[np.uint8]:
        """Return sample `number` (from 0) of a domain, uint8 [size, size, 3].

        Raises `DataError` where its file can no longer be read.
        """
        pictures = self._pictures[domain]
        index = picture_index(self._seed, domain, number, len(pictures))
        drawn = draw(self._config, self._seed, domain, number)
        return flip_and_crop(self._cache[domain, index], drawn, self._config.size)

    def _load(self, key: tuple[Domain, int]) -> NDArray[np.uint8]:
        domain, index = key
        return load_resized(self._pictures[domain][index], self._sides[domain])


class DerivedSamples:
    """The endless samples of a derived set, with an order, flips and crops of their own.

    Safe to use from many threads. Derived pictures are cached, up to the configured bytes.
    """

    def __init__(
        self,
        derived: DerivedSet,
        pictures: Mapping[Domain, Sequence[Path]],
        config: DataConfig,
        *,
        seed: int,
    ) -> None:
        self.domain: Domain = derived.domain
        self._derived, self._paths, self._config, self._seed = derived, pictures[derived.domain], config, seed
        self._side = resized_side(config, seed, derived.domain)
        self._cache = PictureCache(self._load, config.cache_bytes)

    def sample(self, number: int) -> NDArray[np.uint8]:
        """Return sample `number` (from 0) of the set, uint8 [size, size, 3].

        Raises `DataError` where its file can no longer be read.
        """
        of_set = self._derived.number
        index = picture_index(self._seed, self.domain, number, len(self._paths), of_set=of_set)
        drawn = draw(self._config, self._seed, self.domain, number, of_set=of_set)
        return flip_and_crop(self._cache[index], drawn, self._config.size)

    def _load(self, index: int) -> NDArray[np.uint8]:
        return self._derived.derive(load_resized(self._paths[index], self._side))


def load_resized(path: Path, side: int) -> NDArray[np.uint8]:
    """Return a picture that the scan could read, squashed to uint8 [side, side, 3].

    Raises `DataError` where the file can no longer be read.
    """
    try:
        _, pixels = read_picture(path)
    except PictureError as error:
        raise DataError(
            f"{path} could be read at the start and no longer can; put it back, then resume. ({error})"
        ) from error
    return resize(pixels, side)
