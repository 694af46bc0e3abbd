"""Open every picture of a data set once."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from models.files.walk import name_below
from models.images.decode import PictureError, PictureLimits, decode
from training.data.errors import Unreadable
from training.data.folder import FOLDERS, Found

T = TypeVar("T")
See = Callable[[bytes, NDArray[np.uint8]], T]
"""What to note of a picture, given its file and its pixels (uint8 [H, W, 3])."""
OnProgress = Callable[[int, int], None]
"""Told how many pictures were opened, and of how many."""

_LIMITS: Final = PictureLimits()
_MAX_THREADS: Final = 8  # each may hold a picture of 50 megapixels


@dataclass(frozen=True)
class Examined(Generic[T]):
    """What was seen in a data set."""

    readable: dict[str, dict[Path, T]]
    """For each folder its pictures in order, with what was noted of them."""
    unreadable: dict[str, list[Unreadable]]
    """For each folder the rest."""

    def all_unreadable(self) -> tuple[Unreadable, ...]:
        """Those of all folders, in order."""
        return tuple(file for files in self.unreadable.values() for file in files)


def read_picture(path: Path) -> tuple[bytes, NDArray[np.uint8]]:
    """A picture's file and its pixels, uint8 [H, W, 3], upright sRGB, exactly as the service sees them.

    Raises `PictureError`, whose message is a sentence.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"The file cannot be read: {error.strerror}.") from error
    return data, decode(data, limits=_LIMITS)


def examine(folder: Path, found: Found, see: See[T], on_progress: OnProgress | None = None) -> Examined[T]:
    """Decode every picture that was found, on all cores, and note what `see` makes of it."""
    examined: Examined[T] = Examined({name: {} for name in FOLDERS}, {name: [] for name in FOLDERS})
    places = [(name, path) for name in FOLDERS for path in found[name].pictures]
    with closing(_look_at_all([path for _, path in places], see)) as outcomes:
        for done, ((name, path), outcome) in enumerate(zip(places, outcomes, strict=True), start=1):
            if isinstance(outcome, PictureError):
                bad = Unreadable(name_below(path, folder), str(outcome))
                examined.unreadable[name].append(bad)
            else:
                examined.readable[name][path] = outcome
            if on_progress is not None:
                on_progress(done, len(places))
    return examined


def too_many_unreadable(folder: Path, examined: Examined[T], allowed_share: float) -> list[str]:
    """A sentence for each folder of which more than the allowed share, or everything, cannot be read."""
    sentences = []
    for name in FOLDERS:
        bad, good = examined.unreadable[name], examined.readable[name]
        total = len(bad) + len(good)
        if bad and (not good or len(bad) > allowed_share * total):
            sentences.append(
                f"{len(bad)} of the {total} pictures in {folder / name} cannot be read, "
                f"and at most {allowed_share * 100:g} % may be; repair or remove them "
                f"(`ugatit-train data check` lists them all), the first is {bad[0]}"
            )
    return sentences


def _look_at_all(paths: Sequence[Path], see: See[T]) -> Generator[T | PictureError]:
    def look(path: Path) -> T | PictureError:
        try:
            data, pixels = read_picture(path)
        except PictureError as error:
            return error
        return see(data, pixels)

    threads = ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS), "ugatit-scan")
    try:
        yield from threads.map(look, paths)
    finally:  # who interrupts a long scan does not wait for the rest of it
        threads.shutdown(cancel_futures=True)
