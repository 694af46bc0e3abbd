"""Retention: keep the newest checkpoints and the best one, delete the others."""

from __future__ import annotations

from pathlib import Path

from training.checkpoint.best import find_best
from training.checkpoint.errors import CheckpointError
from training.checkpoint.folders import remove
from training.checkpoint.latest import write_latest
from training.checkpoint.read import list_folders
from training.checkpoint.verified import Verified


def keep(directory: Path, *, last: int, verified: Verified | None = None) -> list[Path]:
    """Delete checkpoints older than the newest `last` that verify, except the best; return the deleted ones.

    A damaged checkpoint, or one with values that are not finite, does not count as one of the `last`. It is
    deleted once it is older than they are.

    Args:
        directory: `RUN/checkpoints`.
        last: how many to keep, at least 1.
        verified: remembers which ones it has read; without it every checkpoint that is kept is read.

    Raises:
        ValueError: `last` is less than 1.
        CheckpointError: the disk refused; a checkpoint that could not be deleted is still complete.
    """
    if last < 1:
        raise ValueError(f"At least 1 checkpoint must be kept, got {last}.")
    verified = verified or Verified()
    old = _older_than_verified(list_folders(directory), last, verified)
    # Look for the best, which reads files, only if there is something to delete.
    best = find_best(directory, verified) if old else None
    removed = [path for path in old if path != best]
    for path in removed:
        try:
            remove(path)
        except OSError as error:
            raise CheckpointError(
                f"{path} is too old to keep and could not be deleted: {error.strerror}."
            ) from error
    write_latest(directory)
    return removed


def _older_than_verified(folders: list[Path], last: int, verified: Verified) -> list[Path]:
    """Return the folders before the newest `last` that verify; none if fewer verify."""
    for index in reversed(range(len(folders))):
        last -= verified.check(folders[index])
        if last == 0:
            return folders[:index]
    return []
