"""The test pictures of a data set, which needs only `testA` and `testB`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.files.walk import LeftOut
from models.images.decode import PictureError
from models.images.frame import resize
from training.data.errors import DataError, Unreadable
from training.data.folder import DOMAINS, Domain, all_left_out, find_pictures, missing_pictures
from training.data.open_pictures import OnProgress, examine, read_picture, too_many_unreadable
from training.data.scan import fingerprint
from training.evaluation.errors import EvaluationError

T = TypeVar("T")
Pixels = NDArray[np.uint8]

LEAST_PICTURES: Final = 2
"""Least pictures of a domain: an unbiased estimate compares the pictures of one set with each other."""
MAX_UNREADABLE_SHARE: Final = 0.1
"""Largest share of unreadable pictures in a folder, as in training. They are left out and reported."""


@dataclass(frozen=True)
class EvaluationData:
    """The readable test pictures of a data set, each domain in a fixed order."""

    folder: Path
    paths: Mapping[Domain, tuple[Path, ...]]
    unreadable: tuple[Unreadable, ...]
    left_out: tuple[LeftOut, ...]
    """Entries of the folders that are not pictures by their name."""
    fingerprint: str
    """Hex digest of the pictures' names and contents."""

    def count(self, domain: Domain) -> int:
        """Return the number of pictures of a domain."""
        return len(self.paths[domain])

    def pictures(self, domain: Domain) -> Iterator[Pixels]:
        """Read the pictures of a domain at their own size, uint8 [H, W, 3].

        Raises:
            DataError: a file can no longer be read.
        """
        for path in self.paths[domain]:
            yield _read(path)

    def stretched(self, domain: Domain, *, height: int, width: int) -> Iterator[Pixels]:
        """Read the pictures of a domain, uint8 [height, width, 3], whatever their own shape.

        The filter is that of the service, so that a bundle is measured on what its users get; that of
        training is blurrier.

        Raises:
            DataError: a file can no longer be read.
        """
        for picture in self.pictures(domain):
            yield resize(picture, height=height, width=width)


def read_data(
    folder: Path,
    on_progress: OnProgress | None = None,
    *,
    domains: Sequence[Domain] = DOMAINS,
    least: int = LEAST_PICTURES,
) -> EvaluationData:
    """Open every test picture of a data set once.

    Args:
        folder: holds `testA` and `testB`; nothing else in it is read.
        on_progress: called after each picture with the number opened and the number of all.
        domains: the domains to read; another one has no pictures.
        least: least pictures of a domain.

    Raises:
        DataError: a folder is missing or empty, or too many pictures cannot be read.
        EvaluationError: a domain has fewer pictures than `least`.
    """
    names = [f"test{domain}" for domain in domains]
    found = find_pictures(folder, names)
    for sentence in missing_pictures(folder, found, names):
        raise DataError(sentence)
    examined = examine(folder, found, lambda data, _: hashlib.sha256(data).digest(), on_progress)
    for sentence in too_many_unreadable(folder, examined, MAX_UNREADABLE_SHARE):
        raise DataError(sentence, examined.all_unreadable())
    for name in names:
        _refuse_too_few(folder / name, len(examined.readable[name]), least)
    return EvaluationData(
        folder=folder,
        paths={domain: tuple(examined.readable[f"test{domain}"]) for domain in DOMAINS},
        unreadable=examined.all_unreadable(),
        left_out=all_left_out(found),
        fingerprint=fingerprint(folder, examined, "test"),
    )


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of `size` items in order; the last one may be shorter."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def _refuse_too_few(folder: Path, count: int, least: int) -> None:
    if count < least:
        raise EvaluationError(
            f"An evaluation needs at least {least} readable pictures in {folder}, found {count}; "
            "put more JPEG, PNG or WebP files there."
        )


def _read(path: Path) -> Pixels:
    try:
        return read_picture(path)[1]
    except PictureError as error:
        raise DataError(
            f"{path} could be read at the start and no longer can; put it back, then evaluate again. "
            f"({error})"
        ) from error
