"""A bundle's directory: written completely or not at all, read only if every byte is verified."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from models.bundle.errors import BundleError
from models.bundle.external_tensors import refuse_external_tensors
from models.bundle.manifest import CARD, Manifest, version_of
from models.bundle.parse import parse_manifest
from models.storage.file_entry import FileEntry, entry_of
from models.storage.verified_directory import (
    MANIFEST,
    DirectoryKind,
    VerifiedDirectory,
    move_into_place,
    write_directory,
)

_KIND: Final = DirectoryKind("bundle", BundleError, "export or copy the bundle again")
_SYSTEM_FILES: Final = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
"""Files that a system adds to the folders it shows or copies, in lower case. They are never read."""


class Bundle(NamedTuple):
    """A bundle whose files have all been read and verified."""

    path: Path
    manifest: Manifest
    version: str
    files: dict[str, bytes]
    """The verified bytes by file name. Use these instead of reading the disk again: they are what was
    hashed."""

    @property
    def card(self) -> str:
        """The model card, in Markdown."""
        return self.files[CARD].decode("utf-8", errors="replace")


def write_bundle(path: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Write a bundle to `path`, replacing a bundle that is there. A reader sees the old one or the new one.

    Args:
        path: the bundle's directory; a missing parent is made.
        manifest: its `files` entries describe `files` exactly.
        files: the content by file name.

    Raises:
        BundleError: something other than a bundle is at `path`.
        OSError: the disk refused; what was at `path` before is unchanged.
    """
    refuse_to_replace(path)
    assert manifest.files == {name: entry_of(data) for name, data in files.items()}, (
        "manifest and files differ"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        fresh.chmod(0o755)
        contents = ((name, [data]) for name, data in files.items())
        write_directory(fresh, contents, lambda _: manifest.to_bytes())
        _replace(fresh, path)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _replace(fresh: Path, path: Path) -> None:
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.old.", dir=path.parent))
    try:
        move_into_place(fresh, path, aside=aside / path.name)
    except BaseException:
        with contextlib.suppress(OSError):  # the old bundle is still in it if it could not be moved back
            aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def refuse_to_replace(path: Path) -> None:
    """Check that `path` is free, an empty directory, or a bundle, complete or not.

    Raises:
        BundleError: something else is there, such as a data set with the name of the direction.
    """
    if not path.exists():
        return
    names = {entry.name for entry in path.iterdir()} if path.is_dir() else {"a file"}
    if not all(map(is_system_file, names)) and MANIFEST not in names:
        raise BundleError(f"{path} exists and is not a bundle; move it away, or write to another directory.")


def is_system_file(name: str) -> bool:
    """Return whether an operating system adds a file of this name to folders that it shows or copies."""
    return name.startswith("._") or name.lower() in _SYSTEM_FILES


def read_bundle(path: Path) -> Bundle:
    """Read and verify a bundle. If this raises, onnxruntime has not seen any of it.

    Raises:
        BundleError: no manifest, a file that it does not list, a missing or changed file, a symbolic link, or
            a model with tensors outside its own file.
    """
    directory = VerifiedDirectory(path, _KIND)
    names = directory.names()
    manifest_bytes = directory.read_manifest(names)
    manifest = parse_manifest(manifest_bytes)
    directory.check_names({name for name in names if not is_system_file(name)}, manifest.files)
    files = {name: read_verified(path, name, entry) for name, entry in manifest.files.items()}
    for name, data in files.items():
        if name.endswith(".onnx"):
            refuse_external_tensors(data)
    return Bundle(path, manifest, version_of(manifest_bytes), files)


def read_verified(path: Path, name: str, entry: FileEntry) -> bytes:
    """Read one file of a bundle and verify it against the manifest's entry.

    Raises:
        BundleError: it is missing or changed.
    """
    directory = VerifiedDirectory(path, _KIND)
    if name == CARD:
        _refuse_converted_lines(directory, path, entry)
    return directory.read(name, entry)


def _refuse_converted_lines(directory: VerifiedDirectory, path: Path, entry: FileEntry) -> None:
    """Check that the card's line ends were not converted.

    Raises:
        BundleError: they were, or the card cannot be read.
    """
    data = directory.read_at_most(CARD, 2 * entry.size_bytes)  # CRLF takes at most twice the bytes of LF
    lines = data.replace(b"\r\n", b"\n")
    if entry_of(data) != entry and entry in (entry_of(lines), entry_of(lines.replace(b"\n", b"\r\n"))):
        raise BundleError(
            f"{CARD} in {path} has other line ends (CRLF or LF) than its manifest describes: Git with "
            "core.autocrlf, or a copy in text mode, converted them; copy the bundle again byte for byte."
        )
