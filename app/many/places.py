"""Read, write and list pictures at places: paths, and URLs of everything that fsspec opens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import fsspec

from app.translate_files import write_whole
from app.translate_plan import PlanError
from models.files.walk import FOREIGN, HIDDEN, PICTURE_SUFFIXES, LeftOut, is_hidden, summary

_TIMES: Final = ("mtime", "LastModified", "last_modified", "updated", "created")
"""The keys under which fsspec's file systems give the time of the last change."""


class Listing(NamedTuple):
    """The pictures below a URL."""

    pictures: dict[str, Path]
    """Each picture's URL, with its path below the URL that was listed; sorted."""
    changed: dict[str, float]
    """When each was changed last, in seconds since 1970; 0 if unknown."""
    remark: str
    """A sentence about what was left out; empty if nothing was."""


def is_url(place: str) -> bool:
    """Return whether a place is a URL, not a path."""
    return "://" in place


def join(place: str, below: Path) -> str:
    """Return the place of a relative path below a place."""
    return f"{place.rstrip('/')}/{below.as_posix()}" if is_url(place) else str(Path(place) / below)


def read(place: str) -> bytes:
    """Return the bytes of a file.

    Raises:
        OSError: it cannot be read.
    """
    if not is_url(place):
        return Path(place).read_bytes()
    system, path = fsspec.core.url_to_fs(place)
    data: bytes = system.cat_file(path)
    return data


def write(place: str, data: bytes) -> None:
    """Write a file whole: under a temporary name first, or as an object, which stores write whole.

    Raises:
        OSError: it cannot be written.
    """
    if not is_url(place):
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        write_whole(Path(place), data)
        return
    system, path = fsspec.core.url_to_fs(place)
    try:
        system.pipe_file(path, data)
    except FileNotFoundError:  # a file system with folders
        system.makedirs(system._parent(path), exist_ok=True)
        system.pipe_file(path, data)


def find_pictures(url: str, *, without: str) -> Listing:
    """Return the pictures at a URL or below it, by their suffixes.

    Args:
        url: a picture, or a prefix of pictures.
        without: the folder of the results; if it is below the URL, its files are left out.

    Raises:
        PlanError: the URL cannot be listed, or there is no picture.
    """
    listing, left_out = Listing({}, {}, ""), []
    results = "" if without.rstrip("/") == url.rstrip("/") else without.rstrip("/") + "/"
    for name, info in sorted(_find(url).items()):
        below = Path(name)
        place = join(url, below) if name else url
        if results and place.startswith(results):
            continue
        reason = _why_left_out(below)
        if reason is None:
            listing.pictures[place] = below if name else Path(Path(url).name)
            listing.changed[place] = _time_of(info)
        else:
            left_out.append(LeftOut(below, reason))
    remark = f"In {url}: {summary(left_out, Path())}" if left_out else ""
    if not listing.pictures:
        raise PlanError(
            f"{url} holds no pictures; give the prefix of .jpg, .png, .webp or .gif files. {remark}".strip()
        )
    return listing._replace(remark=remark)


def written_at(url: str) -> dict[str, float]:
    """Return the times of the last change of all files below a URL, in seconds since 1970; 0 if unknown.

    Raises:
        PlanError: the URL cannot be listed.
    """
    return {join(url, Path(name)): _time_of(info) for name, info in _find(url).items()}


def _find(url: str) -> dict[str, dict[str, Any]]:
    """Return what fsspec knows about each file at a URL or below it, by its path below; none if not there."""
    with _as_plan_error(url):
        system, root = fsspec.core.url_to_fs(url)
        try:
            found = system.find(root, detail=True)
        except FileNotFoundError:
            return {}
    return {name.removeprefix(root).lstrip("/"): info for name, info in found.items()}


def _why_left_out(below: Path) -> str | None:
    if any(map(is_hidden, below.parts)):
        return HIDDEN
    return None if not below.parts or below.suffix.lower() in PICTURE_SUFFIXES else FOREIGN


def _time_of(info: dict[str, Any]) -> float:
    found = next((info[key] for key in _TIMES if key in info), 0.0)
    return found.timestamp() if isinstance(found, datetime) else float(found)


@contextmanager
def _as_plan_error(url: str) -> Iterator[None]:
    """Raise what the packages of the stores raise, which have no common base, as a sentence."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PlanError(f"{url} cannot be listed: {reason.rstrip('.')}.") from error
