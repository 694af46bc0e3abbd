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
Inspect = Callable[[bytes, NDArray[np.uint8]], T]
"""Return what to keep of a picture, given the bytes of its file and its pixels (uint8 [H, W, 3])."""
OnProgress = Callable[[int, int], None]
"""Called with the number of pictures opened and the number of all pictures."""

_LIMITS: Final = PictureLimits()
_MAX_THREADS: Final = 8  # each can hold a picture of 50 megapixels


@dataclass(frozen=True)
class Examined(Generic[T]):
    """The pictures of a data set after each was opened."""

    readable: dict[str, dict[Path, T]]
    """For each folder its pictures in order, each with what `inspect` returned."""
    unreadable: dict[str, list[Unreadable]]
    """For each folder the files that cannot be decoded."""

    def all_unreadable(self) -> tuple[Unreadable, ...]:
        """Return the unreadable files of all folders, in order."""
        return tuple(file for files in self.unreadable.values() for file in files)


def read_picture(path: Path) -> tuple[bytes, NDArray[np.uint8]]:
    """Return a picture's bytes and its pixels, uint8 [H, W, 3], upright sRGB, decoded as the service does.

    Raises `PictureError`, whose message is a sentence.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"The file cannot be read: {error.strerror}.") from error
    return data, decode(data, limits=_LIMITS)


def examine(
    folder: Path, found: Found, inspect: Inspect[T], on_progress: OnProgress | None = None
) -> Examined[T]:
    """Decode every picture that was found, on all cores, and keep what `inspect` returns."""
    examined: Examined[T] = Examined({name: {} for name in FOLDERS}, {name: [] for name in FOLDERS})
    files = [(name, path) for name in FOLDERS for path in found[name].pictures]
    with closing(_inspect_all([path for _, path in files], inspect)) as outcomes:
        for done, ((name, path), outcome) in enumerate(zip(files, outcomes, strict=True), start=1):
            if isinstance(outcome, PictureError):
                bad = Unreadable(name_below(path, folder), str(outcome))
                examined.unreadable[name].append(bad)
            else:
                examined.readable[name][path] = outcome
            if on_progress is not None:
                on_progress(done, len(files))
    return examined


def too_many_unreadable(folder: Path, examined: Examined[T], allowed_share: float) -> list[str]:
    """Return a sentence for each folder in which all or more than the allowed share is unreadable."""
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


def _inspect_all(paths: Sequence[Path], inspect: Inspect[T]) -> Generator[T | PictureError]:
    def inspect_file(path: Path) -> T | PictureError:
        try:
            data, pixels = read_picture(path)
        except PictureError as error:
            return error
        return inspect(data, pixels)

    threads = ThreadPoolExecutor(min(os.cpu_count() or 1, _MAX_THREADS), "ugatit-scan")
    try:
        yield from threads.map(inspect_file, paths)
    finally:  # Ctrl-C during a long scan must not wait for the pictures left
        threads.shutdown(cancel_futures=True)
