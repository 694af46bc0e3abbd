"""Where a data set keeps its pictures: trainA, trainB, testA, testB, as the field does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from training.data.errors import DataError

Domain = Literal["A", "B"]
Found = Mapping[str, Sequence[Path]]
"""The pictures under each of `FOLDERS`."""

DOMAINS: Final[tuple[Domain, ...]] = ("A", "B")
FOLDERS: Final = ("trainA", "trainB", "testA", "testB")

# What is taken for a picture. Those that cannot be read are reported, not passed over.
_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif"}
)


def find_pictures(folder: Path) -> Found:
    """The picture files under each of the four folders, at any depth, in the same order on every machine.

    Raises `DataError` where `folder` is none.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is no folder; give the one that holds {', '.join(FOLDERS)}.")
    return {name: _pictures_under(folder / name) for name in FOLDERS}


def missing_pictures(folder: Path, found: Found) -> list[str]:
    """A sentence for each folder that is missing or holds no picture."""
    return [_what_is_missing(folder / name) for name in FOLDERS if not found[name]]


def _what_is_missing(folder: Path) -> str:
    if folder.is_dir():
        return f"{folder} holds no pictures; put JPEG, PNG or WebP files into it."
    return f"There is no folder {folder}; a data set has pictures in {', '.join(FOLDERS)}."


def _pictures_under(root: Path) -> list[Path]:
    pictures = [
        path
        for path in root.rglob("*")
        if path.suffix.lower() in _SUFFIXES and not path.name.startswith(".") and path.is_file()
    ]
    return sorted(pictures, key=lambda path: path.relative_to(root).parts)
