"""The interface of feature extractors. Figures of two extractors must never be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from training.evaluation.data import Pixels
from training.evaluation.errors import EvaluationError

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


def refuse_other_weights(path: Path, expected_sha256: str, *, remedy: str) -> None:
    """Check that a file holds the expected weights, before anything reads it.

    Args:
        path: the file.
        expected_sha256: of the expected weights.
        remedy: what to do, as the end of a sentence.

    Raises:
        EvaluationError: the file cannot be read, or has another hash.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}; {remedy}.") from None
    if found != expected_sha256:
        raise EvaluationError(
            f"Expected the weights in {path} to have the sha256 {expected_sha256}, found {found}; {remedy}."
        )
