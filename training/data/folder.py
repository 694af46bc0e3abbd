"""The four folders of a data set: trainA, trainB, testA, testB."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from models.files.walk import LeftOut, Walk, summary, walk
from training.data.errors import DataError
from training.data.folder_hints import suggest_folder

Domain = Literal["A", "B"]
Found = Mapping[str, Walk]
"""The entries under each of `FOLDERS`."""

DOMAINS: Final[tuple[Domain, ...]] = ("A", "B")
_BY_NAME: Final[Mapping[str, Domain]] = {each: each for each in DOMAINS}
FOLDERS: Final = ("trainA", "trainB", "testA", "testB")


def domain(name: str) -> Domain:
    """Return the domain of a data set that has this name."""
    return _BY_NAME[name]


def find_pictures(folder: Path, names: Sequence[str] = FOLDERS) -> Found:
    """Return the entries under each of the four folders, at any depth, in the same order on every machine.

    Args:
        folder: of the data set.
        names: the folders that are needed; the others are not read, and have no entries.

    Raises:
        DataError: `folder` is not a folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give the one that holds {', '.join(names)}.")
    read = {name for name in names if (folder / name).is_dir()}
    return {name: walk(folder / name) if name in read else Walk([], []) for name in FOLDERS}


def all_left_out(found: Found) -> tuple[LeftOut, ...]:
    """Return the entries of the four folders that are not pictures, in order."""
    return tuple(entry for name in FOLDERS for entry in found[name].left_out)


def missing_pictures(folder: Path, found: Found, names: Sequence[str] = FOLDERS) -> list[str]:
    """Return a sentence for each of these folders that is missing or holds no picture."""
    return [_what_is_missing(folder, name, found[name], names) for name in names if not found[name].pictures]


def _what_is_missing(folder: Path, name: str, found: Walk, names: Sequence[str]) -> str:
    if (folder / name).is_dir():
        instead = f" {summary(found.left_out, folder)}" if found.left_out else ""
        return f"{folder / name} holds no pictures; put JPEG, PNG or WebP files into it.{instead}"
    instead = suggest_folder(folder, name) or f"a data set has pictures in {', '.join(names)}."
    return f"There is no folder {folder / name}; {instead}"
