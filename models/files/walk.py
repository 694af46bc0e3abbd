"""Find the pictures below a folder, and list everything that was left out."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from models.files.text import as_text

PICTURE_SUFFIXES: Final = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".jfi", ".pjpeg", ".pjp", ".mpo", ".png", ".webp"}
    | {".gif"}
    | {".bmp", ".tif", ".tiff", ".heic", ".heif", ".hif", ".avif"}
)
"""Suffixes of pictures, in lower case. Formats of the last line cannot be decoded; each file is
reported."""

HIDDEN: Final = "hidden or a system file"
DANGLING: Final = "a link without a target"
FOREIGN: Final = "not a picture by its suffix"
REPEATED: Final = "a folder that was read already"
SPECIAL: Final = "not a regular file"

_SYSTEM_NAMES: Final = frozenset(
    {"__macosx", "@eadir", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot"}
    | {"$recycle.bin", "recycler", "system volume information", "lost+found", "thumbs.db", "ehthumbs.db"}
    | {"desktop.ini", "icon\r"}
)
"""Names that macOS, Windows, Linux, Synology and QNAP add to folders, in lower case."""

_NAMES_SHOWN: Final = 3


class LeftOut(NamedTuple):
    """A file or folder that was not read as a picture."""

    path: Path
    reason: str


class Walk(NamedTuple):
    """The result of a walk."""

    pictures: list[Path]
    """Sorted by the bytes of their paths, which is the same order on every machine."""
    left_out: list[LeftOut]
    """Sorted likewise. A hidden folder is one entry."""


def walk(root: Path) -> Walk:
    """Find the pictures below a folder, at any depth, by their suffixes.

    Links to folders are followed, and each folder is read once, under its own path rather than a link's. A
    link to a folder that contains `root` is not followed.
    """
    walker = _Walker(root)
    walker.walk()
    return Walk(
        sorted(walker.pictures, key=lambda path: _order(path, root)),
        sorted(walker.left_out, key=lambda entry: _order(entry.path, root)),
    )


def is_hidden(name: str) -> bool:
    """Return whether a name is hidden, or one that operating systems use for their own files."""
    return name.startswith(".") or name.lower() in _SYSTEM_NAMES


def summary(left_out: Sequence[LeftOut], folder: Path) -> str:
    """Return one sentence with the count of entries left out, and the first few by reason."""
    entries = "1 entry" if len(left_out) == 1 else f"{len(left_out):,} entries"
    reasons = dict.fromkeys(entry.reason for entry in left_out)
    groups = [
        _group(reason, [name_below(entry.path, folder) for entry in left_out if entry.reason == reason])
        for reason in reasons
    ]
    return f"Left out {entries}: {'; '.join(groups)}."


def name_below(path: Path, folder: Path) -> str:
    """Return a path below `folder` as text, with forward slashes."""
    return as_text(path.relative_to(folder).as_posix())


def _group(reason: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMES_SHOWN:,} more" if len(names) > _NAMES_SHOWN else ""
    return f"{reason} ({', '.join(names[:_NAMES_SHOWN])}{more})"


def _order(path: Path, root: Path) -> tuple[bytes, ...]:
    return tuple(map(os.fsencode, path.relative_to(root).parts))


class _Walker:
    """The state of a walk. Links are followed last, so that a folder is found under its own path first."""

    def __init__(self, root: Path) -> None:
        self.pictures: list[Path] = []
        self.left_out: list[LeftOut] = []
        real = Path(os.path.realpath(root))
        self._folders = [(root, real)]
        self._links: list[Path] = []
        self._seen = set(real.parents)

    def walk(self) -> None:
        while self._folders or self._links:
            if self._folders:
                self._read(*self._folders.pop())
            else:
                link = self._links.pop(0)
                self._read(link, Path(os.path.realpath(link)))

    def _read(self, folder: Path, real: Path) -> None:
        """Sort the entries of a folder; `real` is its path without links."""
        if real in self._seen:
            self.left_out.append(LeftOut(folder, REPEATED))
            return
        self._seen.add(real)
        try:
            with os.scandir(folder) as entries:
                self._sort(sorted(entries, key=lambda entry: os.fsencode(entry.name)), folder, real)
        except OSError as error:
            self.left_out.append(LeftOut(folder, f"not readable: {error.strerror}"))

    def _sort(self, entries: Iterable[os.DirEntry[str]], folder: Path, real: Path) -> None:
        for entry in entries:
            path = folder / entry.name
            try:
                reason = self._why_left_out(entry, path, real)
            except OSError as error:
                reason = f"not readable: {error.strerror}"
            if reason is not None:
                self.left_out.append(LeftOut(path, reason))

    def _why_left_out(self, entry: os.DirEntry[str], path: Path, real: Path) -> str | None:
        """Take an entry as a picture or a folder, or return why not."""
        if is_hidden(entry.name):
            return HIDDEN
        if entry.is_symlink() and _dangles(entry):
            return DANGLING
        if entry.is_dir():
            if entry.is_symlink():
                self._links.append(path)
            else:
                self._folders.append((path, real / entry.name))
            return None
        if not entry.is_file():
            return SPECIAL
        if path.suffix.lower() not in PICTURE_SUFFIXES:
            return FOREIGN
        self.pictures.append(path)
        return None


def _dangles(link: os.DirEntry[str]) -> bool:
    try:
        link.stat()
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP):
            raise
        return True
    return False
