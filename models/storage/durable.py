"""Writes that are on the disk when the call returns: they survive a kill and a power failure."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.storage.file_entry import Chunk, FileEntry, entry_of_chunks


def write_file(path: Path, chunks: Iterable[Chunk]) -> FileEntry:
    """Write a new file durably and return its entry.

    The hash is computed from the chunks, not read back from the disk, so a disk that changes bytes is found
    out when the file is verified.

    Raises:
        OSError: the disk refused, or the file exists.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        entry = entry_of_chunks(_write_each(handle, chunks))
        os.fsync(handle)
    finally:
        os.close(handle)
    return entry


def _write_each(handle: int, chunks: Iterable[Chunk]) -> Iterator[Chunk]:
    for chunk in chunks:
        write_all(handle, memoryview(chunk))
        yield chunk


def write_all(handle: int, rest: memoryview) -> None:
    """Write every byte.

    Raises:
        OSError: the disk refused; some of the bytes may be written.
    """
    while len(rest):
        rest = rest[os.write(handle, rest) :]  # on a nearly full disk one call writes only a part


def replace_file(path: Path, data: bytes) -> None:
    """Replace a file's content durably; a reader sees either the old content or the new.

    Raises:
        OSError: the disk refused; the old content is unchanged. It names `path`.
    """
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        write_file(fresh, [data])
        fresh.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # not the temporary file, or none at all
        raise
    finally:
        fresh.unlink(missing_ok=True)


def make_directory(path: Path) -> None:
    """Make a directory and its missing parents, durably."""
    if not path.is_dir():
        make_directory(path.parent)
        path.mkdir()
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable: files that were added, renamed or removed."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
