"""A bundle on disk: written whole or not at all, read only when every byte is the one that was written."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from models.bundle.errors import BundleError, quoted
from models.bundle.external import refuse_external_tensors
from models.bundle.manifest import CARD, MANIFEST, FileEntry, Manifest, parse_manifest, version_of

_MANIFEST_LIMIT_BYTES: Final = 1 << 20
_CARD_LIMIT_BYTES: Final = 1 << 20
_JUNK: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
"""In lower case. These are never read, so that nothing depends on what they hold."""


class Bundle(NamedTuple):
    """A bundle whose files have all been read and found to be what its manifest says."""

    path: Path
    manifest: Manifest
    version: str
    files: dict[str, bytes]
    """The verified bytes by file name. Nothing is read from disk again: what was hashed is what is used."""

    @property
    def card(self) -> str:
        """The model card, in Markdown."""
        return self.files[CARD].decode("utf-8", errors="replace")


def entry_of(data: bytes) -> FileEntry:
    """The manifest's entry for a file's content."""
    return FileEntry(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Write a bundle to `path`, replacing a bundle that is there; nobody ever sees half of one.

    Args:
        path: the bundle's directory; its parent is made if need be.
        manifest: whose `files` entries describe `files` exactly.
        files: the content by file name.

    Raises:
        BundleError: something else than a bundle is at `path`.
        OSError: the disk refused; what was at `path` before is still there.
    """
    refuse_to_replace(path)
    assert manifest.files == {name: entry_of(data) for name, data in files.items()}, (
        "manifest and files differ"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        fresh.chmod(0o755)
        for name, data in {**files, MANIFEST: manifest.to_bytes()}.items():
            _write_synced(fresh / name, data)
        _sync_directory(fresh)
        _swap(fresh, path)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _swap(fresh: Path, path: Path) -> None:
    """Rename `fresh` to `path`; the old one steps aside first, as no rename replaces a full directory."""
    if not path.exists():
        fresh.rename(path)
        _sync_directory(path.parent)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
    old = aside / path.name
    try:
        path.rename(old)
        fresh.rename(path)
        _sync_directory(path.parent)
    except BaseException:  # Ctrl-C too must not leave the direction without a bundle
        if os.path.lexists(old):
            if path.exists():
                path.rename(fresh)
            old.rename(path)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def refuse_to_replace(path: Path) -> None:
    """Check that nothing lies at `path` but a bundle, whole or not, or an empty directory.

    Raises:
        BundleError: something else does: data sets go by the names of directions, too.
    """
    if not path.exists():
        return
    names = {entry.name for entry in path.iterdir()} if path.is_dir() else {"a file"}
    if not all(map(is_junk, names)) and MANIFEST not in names:
        raise BundleError(f"{path} is there and is no bundle; move it away, or write to another directory.")


def is_junk(name: str) -> bool:
    """Return whether a system puts a file of this name into any folder that it shows or copies."""
    return name.startswith("._") or name.lower() in _JUNK


def read_bundle(path: Path) -> Bundle:
    """Read and verify a bundle; nothing of it has reached onnxruntime when this refuses.

    Raises:
        BundleError: no manifest, a file it does not name, a missing or changed file, a symbolic link, or a
            model with tensors outside its own file.
    """
    names = _regular_files(path)
    if MANIFEST not in names:
        raise BundleError(f"{path} is not a bundle: it has no {MANIFEST}.")
    manifest_bytes = _read_limited(path / MANIFEST, _MANIFEST_LIMIT_BYTES)
    manifest = parse_manifest(manifest_bytes)
    if strangers := {name for name in names if not is_junk(name)} - manifest.files.keys() - {MANIFEST}:
        unnamed = quoted(", ".join(sorted(strangers)))
        raise BundleError(f"{path} holds files its manifest does not name: {unnamed}.")
    files = {name: read_verified(path, name, entry) for name, entry in manifest.files.items()}
    for name, data in files.items():
        if name.endswith(".onnx"):
            refuse_external_tensors(data)
    return Bundle(path, manifest, version_of(manifest_bytes), files)


def _regular_files(path: Path) -> set[str]:
    try:
        entries = list(os.scandir(path))
    except OSError as error:
        raise BundleError(f"{path} cannot be read as a bundle: {error.strerror}.") from None
    for entry in entries:
        if not entry.is_file(follow_symlinks=False):
            kind = "a symbolic link" if entry.is_symlink() else "not a regular file"
            name = quoted(entry.name)
            raise BundleError(f"{path} holds {name}, which is {kind}; a bundle holds only plain files.")
    return {entry.name for entry in entries}


def read_verified(path: Path, name: str, entry: FileEntry) -> bytes:
    """Read one file of a bundle, which must be what the manifest's `entry` says.

    Raises:
        BundleError: it is missing, or another one.
    """
    limit = min(entry.size_bytes, _CARD_LIMIT_BYTES) if name == CARD else entry.size_bytes
    if name == CARD:
        _refuse_converted_lines(path / name, entry)
    data = _read_limited(path / name, limit)
    if entry_of(data) != entry:
        raise BundleError(f"{name} in {path} is not what its manifest describes; export or copy it again.")
    return data


def _refuse_converted_lines(path: Path, entry: FileEntry) -> None:
    """Check that a text file's line ends are those of the file that `entry` describes.

    Raises:
        BundleError: they were converted, or the file cannot be read.
    """
    data = _read_limited(
        path, 2 * min(entry.size_bytes, _CARD_LIMIT_BYTES)
    )  # CRLF takes at most twice the bytes of LF
    lines = data.replace(b"\r\n", b"\n")
    if entry_of(data) != entry and entry in (entry_of(lines), entry_of(lines.replace(b"\n", b"\r\n"))):
        raise BundleError(
            f"{path.name} in {path.parent} has other line ends (CRLF or LF) than its manifest describes: Git "
            "with core.autocrlf, or a copy in text mode, converted them; copy the bundle again byte for byte."
        )


def _read_limited(path: Path, limit_bytes: int) -> bytes:
    """Read a plain file of at most `limit_bytes`, never following a link put there in the meantime."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        raise BundleError(f"{path.name} in {path.parent} cannot be read: {error.strerror}.") from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size > limit_bytes:
            raise BundleError(f"{path.name} in {path.parent} is larger than it may be, or no plain file.")
        return file.read()
