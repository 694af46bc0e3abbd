"""Check a data set before training: count, unreadable files, sizes, duplicates, flat pictures, faces."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.files.walk import LeftOut, name_below
from training.data.duplicates import Signature, duplicate_groups, signature_of
from training.data.errors import Unreadable
from training.data.face_framing import FolderFraming, folder_framing
from training.data.flat import NEARLY_FLAT, flat_share
from training.data.folder import DOMAINS, FOLDERS, Domain, all_left_out, find_pictures, missing_pictures
from training.data.open_pictures import Examined, OnProgress, examine, too_many_unreadable


class Size(NamedTuple):
    """Size of an upright picture in pixels."""

    width: int
    height: int


class Sizes(NamedTuple):
    """The smallest, median and largest size in a folder, by number of pixels."""

    smallest: Size
    median: Size
    largest: Size


@dataclass(frozen=True)
class FolderReport:
    """Counts and sizes of one of trainA, trainB, testA, testB."""

    name: str
    pictures: int
    """Readable pictures."""
    unreadable: int
    sizes: Sizes | None
    """None where no picture is readable."""


@dataclass(frozen=True)
class Duplicates:
    """Pictures of one domain that look the same."""

    domain: Domain
    names: tuple[str, ...]
    """Paths below the data set's folder."""

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folders that hold them: one, or train and test."""
        return tuple(dict.fromkeys(name.partition("/")[0] for name in self.names))


class Flat(NamedTuple):
    """A picture that is nearly or wholly of one colour."""

    name: str
    """Its path below the data set's folder."""
    share: float
    """Share of its area that has this colour, 0 to 1."""


@dataclass(frozen=True)
class Report:
    """The result of `check`."""

    folder: Path
    folders: tuple[FolderReport, ...]
    unreadable: tuple[Unreadable, ...]
    left_out: tuple[LeftOut, ...]
    """Entries of the folders that are not pictures by their name."""
    duplicates: tuple[Duplicates, ...]
    problems: tuple[str, ...]
    """A sentence for each reason why training would refuse the data set."""
    flat: tuple[Flat, ...] = ()
    """Pictures on which training may have to skip updates."""
    framings: tuple[FolderFraming, ...] = ()
    """Of the training folders whose pictures show faces."""


class _Inspected(NamedTuple):
    size: Size
    signature: Signature
    flat_share: float


def check(
    folder: Path, *, max_unreadable_share: float = 0.1, on_progress: OnProgress | None = None
) -> Report:
    """Open every picture of a data set, and compare those of each domain with each other.

    Raises `DataError` where `folder` is not a folder; the report lists every other problem.
    """
    found = find_pictures(folder)
    examined = examine(folder, found, _inspect, on_progress)
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
            Flat(path.relative_to(folder).as_posix(), picture.flat_share)
            for name in FOLDERS
            for path, picture in examined.readable[name].items()
            if picture.flat_share >= NEARLY_FLAT
        ),
        framings=tuple(
            framing
            for name in (f"train{domain}" for domain in DOMAINS)
            if (framing := folder_framing(name, list(examined.readable[name]))) is not None
        ),
    )


def _inspect(_: bytes, pixels: NDArray[np.uint8]) -> _Inspected:
    height, width, _channels = pixels.shape
    return _Inspected(Size(width, height), signature_of(pixels), flat_share(pixels))


def _report(name: str, examined: Examined[_Inspected]) -> FolderReport:
    pictures = examined.readable[name].values()
    sizes = sorted((picture.size for picture in pictures), key=lambda size: (size.width * size.height, size))
    spread = Sizes(sizes[0], sizes[len(sizes) // 2], sizes[-1]) if sizes else None
    return FolderReport(name, len(sizes), len(examined.unreadable[name]), spread)


def _duplicates(folder: Path, domain: Domain, examined: Examined[_Inspected]) -> list[Duplicates]:
    pictures = examined.readable[f"train{domain}"] | examined.readable[f"test{domain}"]
    names = [name_below(path, folder) for path in pictures]
    groups = duplicate_groups([picture.signature for picture in pictures.values()])
    return [Duplicates(domain, tuple(names[index] for index in group)) for group in groups]
