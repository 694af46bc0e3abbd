"""Write a checkpoint completely or not at all."""

from __future__ import annotations

import errno
import math
import os
from pathlib import Path
from typing import Final

from models.storage.durable import make_directory, sync_directory, write_file
from models.storage.verified_directory import move_into_place, write_directory
from training.checkpoint.content import Checkpoint, digest, files_of
from training.checkpoint.errors import CheckpointError
from training.checkpoint.finite import is_finite
from training.checkpoint.folders import (
    clear_debris,
    discard,
    find_folders,
    folder_of,
    name_of_deleted,
    name_of_new,
)
from training.checkpoint.latest import write_latest
from training.checkpoint.manifest import FORMAT, MANIFEST, CheckpointFigure, Manifest
from training.checkpoint.read import read_manifest, verify

DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The errors of a disk or quota without space."""


def save(directory: Path, checkpoint: Checkpoint, *, score: float | None = None) -> Path:
    """Write a checkpoint below `directory` and return its folder, once it would survive a power failure.

    This removes what a killed process left and updates `latest.json` beside `directory`. If the same state is
    there already, it is not written again and keeps its score. Only one process at a time may save to a
    directory.

    Args:
        directory: `RUN/checkpoints`; made if it is missing.
        checkpoint: read tensor by tensor from where it is, never copied as a whole.
        score: lower is better; a score that is not finite is not recorded.

    Raises:
        CheckpointError: the disk refused, or another state of this step is there, which is kept.
        ValueError: a scalar is not finite.
    """
    folder = folder_of(directory, checkpoint.step)
    before: list[Path] = []
    try:
        make_directory(directory)
        before = [path for path in find_folders(directory) if path != folder]
        clear_debris(directory)
        if os.path.lexists(folder) and _holds(folder, checkpoint):
            sync_directory(directory)  # the process that wrote it may have been killed before its sync
        else:
            _write(folder, checkpoint, score)
    except OSError as error:
        raise CheckpointError(_failure(directory, checkpoint.step, error, before)) from error
    write_latest(directory)
    return folder


def _holds(folder: Path, checkpoint: Checkpoint) -> bool:
    """Return whether a folder holds this state already; a damaged or non-finite one may be replaced.

    Raises:
        CheckpointError: it holds another state that could be used.
    """
    try:
        found = verify(folder)
    except CheckpointError:
        return False
    if found.digest != digest(checkpoint):
        if not is_finite(folder, found):
            return False
        raise CheckpointError(
            f"{folder} holds another state of step {checkpoint.step}; move it away, or save elsewhere."
        )
    return True


def _write(folder: Path, checkpoint: Checkpoint, score: float | None) -> None:
    fresh, replaced = name_of_new(folder), name_of_deleted(folder)
    finite_score = score if score is not None and math.isfinite(score) else None
    try:
        fresh.mkdir()
        write_directory(
            fresh,
            files_of(checkpoint),
            lambda files: Manifest(
                format=FORMAT, step=checkpoint.step, score=finite_score, files=files
            ).to_bytes(),
        )
        move_into_place(fresh, folder, aside=replaced)
        discard(replaced)
    finally:
        discard(fresh)


def record_figure(directory: Path, step: int, figure: CheckpointFigure) -> None:
    """Write the figure of an evaluation into the manifest of a step's checkpoint, and update `latest.json`.

    Raises:
        CheckpointError: there is no such checkpoint, or the disk refused; the checkpoint is unchanged.
    """
    folder = folder_of(directory, step)
    manifest = read_manifest(folder).model_copy(update={"figure": figure})
    # Not a temporary file in the folder: a kill would leave it there, and a checkpoint has no other files.
    fresh = name_of_new(folder)
    try:
        discard(fresh)
        write_file(fresh, [manifest.to_bytes()])
        fresh.replace(folder / MANIFEST)
        sync_directory(folder)
    except OSError as error:
        raise CheckpointError(
            f"The figure of step {step} could not be written to {folder} ({error.strerror}); the checkpoint "
            "itself is complete."
        ) from error
    finally:
        discard(fresh)
    write_latest(directory)


def _failure(directory: Path, step: int, error: OSError, before: list[Path]) -> str:
    remedy = "free some space there" if error.errno in DISK_FULL else "check the disk and your rights to it"
    left = f"{before[-1].name} is still there" if before else "there was none before it"
    return (
        f"The checkpoint of step {step} could not be written to {directory} ({error.strerror}; {left}): "
        f"{remedy}, then resume."
    )
