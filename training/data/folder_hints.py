"""Suggest where a data set's pictures are, if one of its folders is missing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_SPELLINGS: Final = {
    "train": ("train{0}", "{0}train", "training{0}", "domain{0}", "{0}"),
    "test": ("test{0}", "{0}test", "testing{0}", "val{0}", "validation{0}"),
}
"""Other spellings of `trainA` and `testA`, the most similar first; in lower case, without punctuation."""


def suggest_folder(folder: Path, name: str) -> str | None:
    """Return what to do about a missing `trainA` of a data set; None if there is no similar folder.

    The folder may be one level down (`selfie2anime/trainA`), beside the given folder (`trainA` was given), of
    a similar name (`train_A`, `TrainA`, `A`) or in two parts (`train/A`).
    """
    for below in _folders(folder):
        if (below / name).is_dir():
            return f"{below / name} exists: give {below}."
    above = folder.absolute().parent
    if _plain(folder.absolute().name)[:-1] in _SPELLINGS and (above / name).is_dir():
        return f"{above / name} exists: give {above}."
    similar = {_plain("".join(path.relative_to(folder).parts)): path for path in _two_levels(folder)}
    for spelling in _SPELLINGS[name[:-1]]:
        if path := similar.get(spelling.format(name[-1].lower())):
            return f"{path} exists: rename it to {folder / name}."
    return None


def _two_levels(folder: Path) -> Iterator[Path]:
    for path in _folders(folder):
        yield path
        yield from _folders(path)


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def _plain(name: str) -> str:
    return "".join(char for char in name.lower() if char.isalnum())
