"""The interface of feature extractors. Figures of two extractors must never be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.evaluation.data import Pixels

FeatureArray = NDArray[np.float32]


class Extractor(Protocol):
    """A pretrained network, up to its pooled features."""

    @property
    def name(self) -> str:
        """Its name, as `--extractor` takes it."""

    @property
    def weights(self) -> str:
        """The name of the weights' file."""

    @property
    def sha256(self) -> str:
        """The hash of that file."""

    @property
    def suffix(self) -> str:
        """What is appended to `kid` and `fid`: empty for Inception's features only."""

    def features(self, pictures: Iterable[Pixels]) -> FeatureArray:
        """Return one row of features for each picture, uint8 [H, W, 3] of any size, as float32 [n, d]."""
