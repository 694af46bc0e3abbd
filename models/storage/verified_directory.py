"""Directories with a manifest that lists every file: written completely or not at all, read only if verified.

Bundles and checkpoints are such directories. Each adds facts of its own to its manifest.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final, NamedTuple

from models.files.text import quoted
from models.storage.durable import sync_directory, write_file
from models.storage.file_entry import Chunk, FileEntry

MANIFEST: Final = "manifest.json"
_MANIFEST_LIMIT_BYTES: Final = 1 << 20
_READ_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
"""Neither follow a symbolic link nor wait for the writer of a pipe."""


class DirectoryKind(NamedTuple):
    """What a kind of verified directory is called, and how its errors are raised."""

    noun: str
    """Such as `bundle`."""
    error: type[ValueError]
    remedy: str
    """What to do about damage, such as `copy the bundle again`."""


def write_directory(
    path: Path,
    files: Iterable[tuple[str, Iterable[Chunk]]],
    manifest: Callable[[dict[str, FileEntry]], bytes],
) -> None:
    """Write files and then their manifest into an empty directory, durably.

    Args:
        path: the directory, under the temporary name that `move_into_place` will change.
        files: their names and contents.
        manifest: returns the manifest's bytes for the files' entries.

    Raises:
        OSError: the disk refused.
    """
    entries = {name: write_file(path / name, chunks) for name, chunks in files}
    write_file(path / MANIFEST, [manifest(entries)])
    sync_directory(path)


def move_into_place(fresh: Path, path: Path, *, aside: Path) -> None:
    """Rename a directory to its final name, durably.

    Rename cannot replace a directory that has files, so one that is at `path` is first renamed to `aside`. If
    anything fails, Ctrl-C included, both get their old names back. The caller deletes `aside`.

    Raises:
        OSError: the disk refused; `fresh` and `path` are as they were.
    """
    try:
        if os.path.lexists(path):
            path.rename(aside)
        fresh.rename(path)
        sync_directory(path.parent)
    except BaseException:
        if not os.path.lexists(fresh):
            path.rename(fresh)
        if os.path.lexists(aside):
            aside.rename(path)
        raise


class VerifiedDirectory:
    """The files of a directory, each read only if it is a regular file and has the size and hash expected.

    Every method raises the kind's error, with a message of one sentence, if that is not so.
    """

    def __init__(self, path: Path, kind: DirectoryKind) -> None:
        self._path = path
        self._kind = kind

    def names(self) -> set[str]:
        """Return the names of all files; everything in the directory must be a regular file."""
        noun = self._kind.noun
        try:
            entries = list(os.scandir(self._path))
        except OSError as error:
            raise self._error(f"{self._path} cannot be read as a {noun}: {error.strerror}.") from None
        for entry in entries:
            if not entry.is_file(follow_symlinks=False):
                found = "a symbolic link" if entry.is_symlink() else "not a regular file"
                name = quoted(entry.name)
                raise self._error(
                    f"{self._path} holds {name}, which is {found}; a {noun} holds only regular files."
                )
        return {entry.name for entry in entries}

    def read_manifest(self, names: Collection[str]) -> bytes:
        """Return the bytes of the manifest; `names` are those of all files."""
        if MANIFEST not in names:
            raise self._error(f"{self._path} is not a complete {self._kind.noun}: it has no {MANIFEST}.")
        return self.read_at_most(MANIFEST, _MANIFEST_LIMIT_BYTES)

    def check_names(self, names: Collection[str], files: Mapping[str, FileEntry]) -> None:
        """Check that exactly the files that the manifest lists are there; they are not read."""
        if missing := files.keys() - names:
            raise self._error(
                f"{self._path} lacks {quoted(', '.join(sorted(missing)))}; {self._kind.remedy}."
            )
        if unlisted := set(names) - files.keys() - {MANIFEST}:
            raise self._error(
                f"{self._path} holds files that its manifest does not list: "
                f"{quoted(', '.join(sorted(unlisted)))}; remove them."
            )

    def read(self, name: str, entry: FileEntry) -> bytes:
        """Return a file's bytes after verifying them."""
        with self._open(name) as file:
            self._check_size(name, file, entry)
            data = file.read(entry.size_bytes)
            self._check_hash(name, hashlib.sha256(data).hexdigest(), entry)
        return data

    def verify(self, name: str, entry: FileEntry) -> None:
        """Verify a file's bytes without keeping them in memory."""
        with self._open(name) as file:
            self._check_size(name, file, entry)
            self._check_hash(name, hashlib.file_digest(file, "sha256").hexdigest(), entry)

    def read_at_most(self, name: str, limit_bytes: int) -> bytes:
        """Return a file's bytes without verifying them; refuse a file larger than `limit_bytes`."""
        with self._open(name) as file:
            size = os.fstat(file.fileno()).st_size
            if size > limit_bytes:
                raise self._error(
                    f"{self._path / name} has {size:,} bytes, at most {limit_bytes:,} are allowed; "
                    f"{self._kind.remedy}."
                )
            return file.read(limit_bytes)

    @contextmanager
    def _open(self, name: str) -> Iterator[BufferedReader]:
        path = self._path / name
        try:
            # The names were checked before, but a link may have replaced the file since then.
            with os.fdopen(os.open(path, _READ_FLAGS), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise self._error(f"{path} is not a regular file; {self._kind.remedy}.")
                yield file
        except OSError as error:
            raise self._error(f"{path} cannot be read: {error.strerror}.") from None

    def _check_size(self, name: str, file: BufferedReader, entry: FileEntry) -> None:
        size = os.fstat(file.fileno()).st_size
        if size != entry.size_bytes:
            raise self._error(
                f"{self._path / name} is damaged: its manifest lists {entry.size_bytes:,} bytes, it has "
                f"{size:,}; {self._kind.remedy}."
            )

    def _check_hash(self, name: str, sha256: str, entry: FileEntry) -> None:
        if sha256 != entry.sha256:
            raise self._error(
                f"{self._path / name} is damaged: its content does not have the hash in its manifest; "
                f"{self._kind.remedy}."
            )

    def _error(self, message: str) -> ValueError:
        return self._kind.error(message)
