"""Read checkpoints, only if every byte is verified."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, NamedTuple

from models.storage.verified_directory import DirectoryKind, VerifiedDirectory
from training.checkpoint.content import Checkpoint
from training.checkpoint.errors import CheckpointError
from training.checkpoint.finite import refuse_non_finite
from training.checkpoint.folders import find_folders, step_of
from training.checkpoint.manifest import SCALARS, TENSORS_ENDING, Manifest, parse_manifest
from training.checkpoint.tensors import decode

Manifests = list[tuple[Path, Manifest]]
"""The manifests of checkpoints, each with its folder."""

_KIND: Final = DirectoryKind("checkpoint", CheckpointError, "use another checkpoint")


class Skipped(NamedTuple):
    """A checkpoint that was skipped, and the reason in one sentence."""

    path: Path
    reason: str


def load_newest(directory: Path) -> tuple[Checkpoint, list[Skipped]]:
    """Return the newest checkpoint that verifies and is finite, and the newer ones that do not.

    This does not read `latest.json`, which can be older or newer than the checkpoints.

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
    """Return the step folders of a directory, not verified, the newest last.

    Raises:
        CheckpointError: the directory cannot be read.
    """
    try:
        return find_folders(directory)
    except OSError as error:
        raise CheckpointError(f"{directory} cannot be read: {error.strerror}.") from None


def load(path: Path) -> Checkpoint:
    """Return one checkpoint, its tensors on the CPU. While a file is read, its group is in memory twice.

    Raises:
        CheckpointError: a file is missing, changed, not listed by the manifest, or not a regular file.
    """
    manifest = read_manifest(path)
    directory, tensors, scalars = VerifiedDirectory(path, _KIND), {}, {}
    for name, entry in manifest.files.items():
        data = directory.read(name, entry)
        try:
            if name == SCALARS:
                scalars = json.loads(data)
            else:
                tensors[name.removesuffix(TENSORS_ENDING)] = decode(data)
        except ValueError as error:
            raise CheckpointError(f"{path / name} cannot be read as its type: {error}.") from None
    return Checkpoint(manifest.step, tensors, scalars)


def verify(path: Path) -> Manifest:
    """Verify every byte of a checkpoint without keeping any, and return its manifest.

    Raises:
        CheckpointError: as `load`.
    """
    manifest, directory = read_manifest(path), VerifiedDirectory(path, _KIND)
    for name, entry in manifest.files.items():
        directory.verify(name, entry)
    return manifest


def read_manifest(path: Path) -> Manifest:
    """Return a checkpoint's manifest, after checking that exactly its files are there; they are not read.

    Raises:
        CheckpointError: the manifest is missing or damaged, a file is missing, or there is an unlisted one.
    """
    if path.is_symlink():
        raise CheckpointError(f"{path} is a symbolic link; a checkpoint must be a real directory.")
    directory = VerifiedDirectory(path, _KIND)
    names = directory.names()
    data = directory.read_manifest(names)
    try:
        manifest = parse_manifest(data)
    except CheckpointError as error:
        raise CheckpointError(f"{path} cannot be used: {error}.") from None
    directory.check_names(names, manifest.files)
    if step_of(path) not in (None, manifest.step):
        raise CheckpointError(f"{path} holds step {manifest.step}, which does not match its name.")
    return manifest


def read_manifests(directory: Path) -> Manifests:
    """Return the step folders whose manifests and lists of files are right, the newest last."""
    manifests: Manifests = []
    for path in list_folders(directory):
        try:
            manifests.append((path, read_manifest(path)))
        except CheckpointError:
            continue  # the error is reported when the checkpoint is read
    return manifests
