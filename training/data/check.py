"""What a person should know of a data set before training on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.files.walk import LeftOut, name_below
from training.data.duplicates import Look, alike, look_at
from training.data.errors import Unreadable
from training.data.flat import NEARLY, flat_share
from training.data.folder import DOMAINS, FOLDERS, Domain, all_left_out, find_pictures, missing_pictures
from training.data.open_pictures import Examined, OnProgress, examine, too_many_unreadable


class Size(NamedTuple):
    """Of a picture, upright, in pixels."""

    width: int
    height: int


class Sizes(NamedTuple):
    """The sizes in a folder, ordered by their number of pixels."""

    smallest: Size
    median: Size
    largest: Size


@dataclass(frozen=True)
class FolderReport:
    """One of trainA, trainB, testA, testB."""

    name: str
    pictures: int
    """Readable ones."""
    unreadable: int
    sizes: Sizes | None
    """None without a readable picture."""


@dataclass(frozen=True)
class Duplicates:
    """Pictures of one domain that look the same."""

    domain: Domain
    names: tuple[str, ...]
    """Paths below the data set's folder."""

    @property
    def folders(self) -> tuple[str, ...]:
        """Where they lie: one folder, or train and test."""
        return tuple(dict.fromkeys(name.partition("/")[0] for name in self.names))


class Flat(NamedTuple):
    """A picture of one colour, or nearly so."""

    name: str
    """Its path below the data set's folder."""
    share: float
    """Of its area that has this colour, 0 to 1."""


@dataclass(frozen=True)
class Report:
    """All that `check` found."""

    folder: Path
    folders: tuple[FolderReport, ...]
    unreadable: tuple[Unreadable, ...]
    left_out: tuple[LeftOut, ...]
    """What is in the folders and is not taken for a picture."""
    duplicates: tuple[Duplicates, ...]
    problems: tuple[str, ...]
    """Why training would refuse the data set, sentence by sentence; none where it would not."""
    flat: tuple[Flat, ...] = ()
    """Pictures on which training may have to skip updates."""


class _Seen(NamedTuple):
    size: Size
    look: Look
    flat_share: float


def check(
    folder: Path, *, max_unreadable_share: float = 0.1, on_progress: OnProgress | None = None
) -> Report:
    """Open every picture of a data set, and compare those of each domain with each other.

    Raises `DataError` where `folder` is none; all else that is wrong stands in the report.
    """
    found = find_pictures(folder)
    examined = examine(folder, found, _see, on_progress)
    return Report(
        folder=folder,
        folders=tuple(_report(name, examined) for name in FOLDERS),
        unreadable=examined.all_unreadable(),
        left_out=all_left_out(found),
        duplicates=tuple(group for domain in DOMAINS for group in _duplicates(folder, domain, examined)),
        problems=(
            *missing_pictures(folder, found),
            *too_many_unreadable(folder, examined, max_unreadable_share),
        ),
        flat=tuple(
            Flat(path.relative_to(folder).as_posix(), seen.flat_share)
            for name in FOLDERS
            for path, seen in examined.readable[name].items()
            if seen.flat_share >= NEARLY
        ),
    )


def _see(_: bytes, pixels: NDArray[np.uint8]) -> _Seen:
    height, width, _channels = pixels.shape
    return _Seen(Size(width, height), look_at(pixels), flat_share(pixels))


def _report(name: str, examined: Examined[_Seen]) -> FolderReport:
    seen = examined.readable[name].values()
    sizes = sorted((picture.size for picture in seen), key=lambda size: (size.width * size.height, size))
    spread = Sizes(sizes[0], sizes[len(sizes) // 2], sizes[-1]) if sizes else None
    return FolderReport(name, len(sizes), len(examined.unreadable[name]), spread)


def _duplicates(folder: Path, domain: Domain, examined: Examined[_Seen]) -> list[Duplicates]:
    seen = examined.readable[f"train{domain}"] | examined.readable[f"test{domain}"]
    names = [name_below(path, folder) for path in seen]
    groups = alike([picture.look for picture in seen.values()])
    return [Duplicates(domain, tuple(names[index] for index in group)) for group in groups]
