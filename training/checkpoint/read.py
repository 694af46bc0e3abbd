"""Read a checkpoint only if every byte is the one that was written."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final, NamedTuple

from training.checkpoint.content import Checkpoint
from training.checkpoint.errors import CheckpointError
from training.checkpoint.finite import refuse_non_finite
from training.checkpoint.folders import find_folders, step_of
from training.checkpoint.manifest import (
    MANIFEST,
    SCALARS,
    TENSORS_ENDING,
    FileEntry,
    Manifest,
    parse_manifest,
)
from training.checkpoint.tensors import decode

_MANIFEST_LIMIT_BYTES: Final = 1 << 20


class Skipped(NamedTuple):
    """A checkpoint that was passed over, and the sentence that says why."""

    path: Path
    reason: str


def load_newest(directory: Path) -> tuple[Checkpoint, list[Skipped]]:
    """Read the newest checkpoint that verifies and is finite, and say which newer ones are not.

    `latest.json` is not asked: it may be older, or newer, than what is really there.

    Raises:
        CheckpointError: there is no checkpoint, or none that can be used.
    """
    skipped: list[Skipped] = []
    for path in reversed(list_folders(directory)):
        try:
            checkpoint = load(path)
            refuse_non_finite(checkpoint, str(path))
            return checkpoint, skipped
        except CheckpointError as error:
            skipped.append(Skipped(path, str(error)))
    if not skipped:
        raise CheckpointError(f"There is no checkpoint in {directory}.")
    reasons = "; ".join(each.reason.removesuffix(".") for each in skipped)
    raise CheckpointError(f"No checkpoint in {directory} can be used: {reasons}.")


def list_folders(directory: Path) -> list[Path]:
    """The step folders of a directory, not verified, the newest last.

    Raises:
        CheckpointError: the directory cannot be read.
    """
    try:
        return find_folders(directory)
    except OSError as error:
        raise CheckpointError(f"{directory} cannot be read: {error.strerror}.") from None


def load(path: Path) -> Checkpoint:
    """Read one checkpoint, tensors on the CPU. While a file is read, its group is in memory twice.

    Raises:
        CheckpointError: a file is missing, changed, or not named by the manifest; something is no plain file.
    """
    manifest = read_manifest(path)
    tensors, scalars = {}, {}
    for name, entry in manifest.files.items():
        data = _read_verified(path / name, entry)
        try:
            if name == SCALARS:
                scalars = json.loads(data)
            else:
                tensors[name.removesuffix(TENSORS_ENDING)] = decode(data)
        except ValueError as error:
            raise CheckpointError(f"{path / name} is not what its name says: {error}.") from None
    return Checkpoint(manifest.step, tensors, scalars)


def verify(path: Path) -> Manifest:
    """Check every byte of a checkpoint as `load` does, keeping none.

    Raises:
        CheckpointError: as `load`.
    """
    manifest = read_manifest(path)
    for name, entry in manifest.files.items():
        _hash_verified(path / name, entry)
    return manifest


def read_manifest(path: Path) -> Manifest:
    """Read a checkpoint's manifest, and see that exactly its files are there; they are not read yet.

    Raises:
        CheckpointError: the manifest is missing or damaged, a file is missing, or there is one too many.
    """
    names = _plain_files(path)
    if MANIFEST not in names:
        raise CheckpointError(f"{path} is no whole checkpoint: it has no {MANIFEST}.")
    try:
        with (path / MANIFEST).open("rb") as file:
            manifest = parse_manifest(file.read(_MANIFEST_LIMIT_BYTES))
    except CheckpointError as error:
        raise CheckpointError(f"{path} cannot be used: {error}.") from None
    except OSError as error:
        raise CheckpointError(f"{path / MANIFEST} cannot be read: {error.strerror}.") from None
    if missing := manifest.files.keys() - names:
        raise CheckpointError(f"{path} lacks {', '.join(sorted(missing))}.")
    if strangers := names - manifest.files.keys() - {MANIFEST}:
        raise CheckpointError(
            f"{path} holds what its manifest does not name: {', '.join(sorted(strangers))}."
        )
    if step_of(path) not in (None, manifest.step):
        raise CheckpointError(f"{path} holds step {manifest.step}, which its name denies.")
    return manifest


def _plain_files(path: Path) -> set[str]:
    if path.is_symlink():
        raise CheckpointError(f"{path} is a symbolic link; a checkpoint is a real directory.")
    try:
        entries = list(os.scandir(path))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read as a checkpoint: {error.strerror}.") from None
    for entry in entries:
        if not entry.is_file(follow_symlinks=False):
            kind = "a symbolic link" if entry.is_symlink() else "no plain file"
            raise CheckpointError(f"{path} holds {entry.name}, which is {kind}.")
    return {entry.name for entry in entries}


def _read_verified(path: Path, entry: FileEntry) -> bytes:
    with _opened(path, entry) as file:
        data = file.read(entry.size_bytes)
        _refuse_change(path, hashlib.sha256(data).hexdigest(), entry)
    return data


def _hash_verified(path: Path, entry: FileEntry) -> None:
    with _opened(path, entry) as file:
        _refuse_change(path, hashlib.file_digest(file, "sha256").hexdigest(), entry)


@contextmanager
def _opened(path: Path, entry: FileEntry) -> Iterator[BufferedReader]:
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size != entry.size_bytes:
                raise CheckpointError(
                    f"{path} is damaged: it has {size} bytes instead of {entry.size_bytes}."
                )
            yield file
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from None


def _refuse_change(path: Path, sha256: str, entry: FileEntry) -> None:
    if sha256 != entry.sha256:
        raise CheckpointError(f"{path} is damaged: its bytes are not those that were written.")
