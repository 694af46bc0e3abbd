"""Bytes that are on the disk once a call has returned."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from training.checkpoint.manifest import FileEntry


def write_file(path: Path, chunks: Iterable[bytes | memoryview]) -> FileEntry:
    """Write a new file durably. The hash is of what was meant, not of what the disk made of it.

    Raises:
        OSError: the disk refused, or the file exists.
    """
    sha256, size = hashlib.sha256(), 0
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        for chunk in chunks:
            sha256.update(chunk)
            size += len(chunk)
            write_all(handle, memoryview(chunk))
        os.fsync(handle)
    finally:
        os.close(handle)
    return FileEntry(sha256=sha256.hexdigest(), size_bytes=size)


def write_all(handle: int, rest: memoryview) -> None:
    """Write every byte.

    Raises:
        OSError: the disk refused; a part may be written.
    """
    while len(rest):
        rest = rest[os.write(handle, rest) :]  # a nearly full disk takes a part


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file durably; whoever reads sees the old one or the new one.

    Raises:
        OSError: the disk refused; the old one is still there.
    """
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    try:
        write_file(fresh, [data])
        fresh.replace(path)
        sync_directory(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


def make_directory(path: Path) -> None:
    """Make a directory and the parents it lacks, durably."""
    if not path.is_dir():
        make_directory(path.parent)
        path.mkdir()
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make names durable that were given or taken in a directory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
