"""Write a checkpoint whole or not at all."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path
from typing import Final

from training.checkpoint.content import Checkpoint, digest, files_of
from training.checkpoint.disk import make_directory, sync_directory, write_file
from training.checkpoint.errors import CheckpointError
from training.checkpoint.finite import is_finite
from training.checkpoint.folders import clear_debris, coming, discard, find_folders, folder_of, remove
from training.checkpoint.latest import note_latest
from training.checkpoint.manifest import FORMAT, MANIFEST, Manifest
from training.checkpoint.read import verify

FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a disk without space answers."""


def save(directory: Path, checkpoint: Checkpoint, *, score: float | None = None) -> Path:
    """Write a checkpoint below `directory` and return its folder, once it would survive a power failure.

    What a killed process left is removed; `latest.json` beside `directory` is brought up to date. Nothing is
    written if this very state is there already; its score stays what it was. Only one process at a time may
    save to a directory.

    Args:
        directory: `RUN/checkpoints`; made if need be.
        checkpoint: read where it lies, tensor by tensor, never copied as a whole.
        score: how good it is, lower is better; not finite counts as not judged.

    Raises:
        CheckpointError: the disk refused, or another state of this step is there; what was there still is.
        ValueError: a scalar is not finite.
    """
    folder = folder_of(directory, checkpoint.step)
    before: list[Path] = []
    try:
        make_directory(directory)
        before = [path for path in find_folders(directory) if path != folder]
        clear_debris(directory)
        if os.path.lexists(folder) and _holds(folder, checkpoint):
            sync_directory(directory)  # whoever wrote it may have been killed before it did so
        else:
            _write(folder, checkpoint, score)
    except OSError as error:
        raise CheckpointError(_failure(directory, checkpoint.step, error, before)) from error
    note_latest(directory)
    return folder


def _holds(folder: Path, checkpoint: Checkpoint) -> bool:
    """Whether a folder holds this state already; a damaged one, or one that is not finite, gives way."""
    try:
        found = verify(folder)
    except CheckpointError:
        return False
    if found.digest != digest(checkpoint):
        if not is_finite(folder, found):
            return False
        raise CheckpointError(
            f"{folder} holds another state of step {checkpoint.step}: move it away, or save elsewhere."
        )
    return True


def _write(folder: Path, checkpoint: Checkpoint, score: float | None) -> None:
    fresh = coming(folder)
    try:
        _fill(fresh, checkpoint, score)
        if os.path.lexists(folder):
            remove(folder)
        fresh.rename(folder)
        try:
            sync_directory(folder.parent)
        except OSError:
            folder.rename(fresh)  # a checkpoint that was not acknowledged is not there either
            raise
    finally:
        discard(fresh)


def _fill(fresh: Path, checkpoint: Checkpoint, score: float | None) -> None:
    fresh.mkdir()
    files = {name: write_file(fresh / name, chunks) for name, chunks in files_of(checkpoint)}
    known = score if score is not None and math.isfinite(score) else None
    manifest = Manifest(format=FORMAT, step=checkpoint.step, score=known, files=files)
    write_file(fresh / MANIFEST, [manifest.to_bytes()])
    sync_directory(fresh)


def _failure(directory: Path, step: int, error: OSError, before: list[Path]) -> str:
    remedy = "free some space there" if error.errno in FULL else "check the disk and your rights to it"
    left = f"{before[-1].name} is still there" if before else "there was none before it"
    return (
        f"The checkpoint of step {step} could not be written to {directory} ({error.strerror}; {left}): "
        f"{remedy}, then resume."
    )
