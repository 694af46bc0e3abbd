"""The source pictures of a study."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from app.study.errors import StudyError
from models.bundle.manifest import DIRECTION, split_direction
from models.files.spread import evenly_spread
from models.files.walk import name_below, walk
from models.images.decode import PictureError, PictureLimits, decode

_TEST_FOLDERS: Final = ("testA", "testB")


class SourcePicture(NamedTuple):
    """One picture that participants see translated."""

    name: str
    sha256: str
    path: Path


class SourcePictures(NamedTuple):
    """The pictures of a study, and a sentence for each file that was left out."""

    pictures: list[SourcePicture]
    remarks: list[str]


def find_sources(folder: Path, source: str, target: str, a2b: str | None, most: int | None) -> SourcePictures:
    """Return the pictures to translate, in a fixed order; of equal pictures the first.

    Args:
        folder: holds pictures; or is a data set, of which `testA` or `testB` has the source domain.
        source: the domain that the models translate from.
        target: the domain that they translate to.
        a2b: the direction from `testA` to `testB`, where the name of the folder does not say it.
        most: the most pictures, evenly spread; None for all.

    Raises:
        StudyError: the folder has no readable pictures, or its name or `a2b` names other domains.
        BundleError: `a2b` is not of the form SOURCE2TARGET.
    """
    if not folder.is_dir():
        raise StudyError(f"{folder} is not a folder; give a folder with pictures, or with testA and testB.")
    chosen = _source_folder(folder, source, target, a2b)
    found = walk(chosen).pictures if chosen.is_dir() else []
    readable: dict[str, SourcePicture] = {}
    remarks = []
    for path in found:
        try:
            digest = _digest(path)
        except PictureError as error:
            remarks.append(f"Left out {path}: {error}")
            continue
        if digest in readable:
            remarks.append(f"Left out {path}: it equals {readable[digest].path}.")
        readable.setdefault(digest, SourcePicture(name_below(path, chosen), digest, path))
    if not readable:
        raise StudyError(f"{chosen} holds no readable pictures; put JPEG, PNG or WebP files there.")
    return SourcePictures(evenly_spread([*readable.values()], most or len(readable)), remarks)


def _source_folder(folder: Path, source: str, target: str, a2b: str | None) -> Path:
    """Return the folder of the source domain: by `a2b`, else by the data set's name, else `testA`."""
    if not any((folder / name).is_dir() for name in _TEST_FOLDERS):
        return folder
    if a2b is not None:
        domains = split_direction(a2b)
        if set(domains) != {source, target}:
            raise StudyError(
                f"The bundles translate {source} to {target}, and --a2b {a2b} names other domains; "
                f"give --a2b {source}2{target} or --a2b {target}2{source}."
            )
        return folder / _TEST_FOLDERS[domains.index(source)]
    name = folder.resolve().name
    if name.startswith(f"{target}2{source}"):
        return folder / "testB"
    if not name.startswith(f"{source}2{target}") and DIRECTION.fullmatch(name):
        raise StudyError(
            f"The bundles translate {source} to {target}, and the name of {folder} says other domains; "
            f"name the domains of testA and testB with --a2b {source}2{target} or --a2b {target}2{source}."
        )
    return folder / "testA"


def _digest(path: Path) -> str:
    """Return the hash of a picture's file, once it can be decoded."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PictureError(f"The file cannot be read: {error.strerror}.") from error
    decode(data, limits=PictureLimits())
    return hashlib.sha256(data).hexdigest()
