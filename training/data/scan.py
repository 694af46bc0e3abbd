"""Find and open the pictures that a run trains on."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.files.walk import LeftOut, summary
from training.data.errors import DataError, Unreadable
from training.data.folder import DOMAINS, Domain, all_left_out, find_pictures, missing_pictures
from training.data.open_pictures import Examined, OnProgress, examine, too_many_unreadable


@dataclass(frozen=True)
class ScanResult:
    """The readable pictures of a data set, each in a fixed order."""

    folder: Path
    train: Mapping[Domain, tuple[Path, ...]]
    test: Mapping[Domain, tuple[Path, ...]]
    unreadable: tuple[Unreadable, ...]
    """Pictures that were left out; the run's folder lists them."""
    left_out: tuple[LeftOut, ...]
    """Entries of the folders that are not pictures by their name."""
    digests: Mapping[str, str]
    """The sha256 in hex of each training picture, by its path below the folder."""
    fingerprint: str
    """Hex digest of the training pictures' names and contents; a run resumes exactly where it is equal."""


def scan(
    folder: Path, *, max_unreadable_share: float = 0.1, on_progress: OnProgress | None = None
) -> ScanResult:
    """Open every picture of a data set.

    Args:
        folder: holds trainA, trainB, testA and testB.
        max_unreadable_share: the largest share of each folder that may be unreadable, 0 to 1.
        on_progress: called after each picture with the number opened and the number of all.

    Raises:
        DataError: one of the four is missing or empty, or more than the share is unreadable.
    """
    found = find_pictures(folder)
    for sentence in missing_pictures(folder, found):
        raise DataError(sentence)
    examined = examine(folder, found, _digest, on_progress)
    for sentence in too_many_unreadable(folder, examined, max_unreadable_share):
        raise DataError(sentence, examined.all_unreadable())
    return ScanResult(
        folder=folder,
        train={domain: tuple(examined.readable[f"train{domain}"]) for domain in DOMAINS},
        test={domain: tuple(examined.readable[f"test{domain}"]) for domain in DOMAINS},
        unreadable=examined.all_unreadable(),
        left_out=all_left_out(found),
        digests=_digests(folder, examined),
        fingerprint=fingerprint(folder, examined, "train"),
    )


def remarks(result: ScanResult) -> list[str]:
    """Return sentences on the files that training leaves out: how many, and why."""
    sentences = []
    if result.unreadable:
        count = len(result.unreadable)
        total = count + sum(map(len, (*result.train.values(), *result.test.values())))
        sentences.append(
            f"Left out {count:,} of {total:,} pictures, which cannot be read; unreadable.txt in the run's "
            f"folder says why. The first is {result.unreadable[0]}"
        )
    if result.left_out:
        sentences.append(f"{summary(result.left_out, result.folder)} `ugatit-train data check` lists them.")
    return sentences


def _digest(data: bytes, _: NDArray[np.uint8]) -> bytes:
    return hashlib.sha256(data).digest()


def _digests(folder: Path, examined: Examined[bytes]) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): digest.hex()
        for domain in DOMAINS
        for path, digest in examined.readable[f"train{domain}"].items()
    }


def fingerprint(folder: Path, examined: Examined[bytes], part: Literal["train", "test"]) -> str:
    """Return a hex digest of the names and contents of the training or of the test pictures.

    `examined` holds the sha256 of each file.
    """
    whole = hashlib.sha256()
    for domain in DOMAINS:
        for path, digest in examined.readable[f"{part}{domain}"].items():
            name = os.fsencode(path.relative_to(folder).as_posix())  # bytes: a name need not be UTF-8
            whole.update(hashlib.sha256(name).digest() + digest)
    return whole.hexdigest()
