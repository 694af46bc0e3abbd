"""Retention: the last few checkpoints and the best stay, the others go."""

from __future__ import annotations

from pathlib import Path

from training.checkpoint.errors import CheckpointError
from training.checkpoint.folders import remove
from training.checkpoint.latest import by_score, note_latest, read_manifests
from training.checkpoint.read import list_folders
from training.checkpoint.verified import Verified


def keep(directory: Path, *, last: int, verified: Verified | None = None) -> list[Path]:
    """Delete what is older than the newest `last` verified checkpoints, except the best; return what went.

    Nothing goes before `last` others were verified, so that a damaged one, or one with values that are not
    finite, never takes a good one's place; it goes once it is older than they are.

    Args:
        directory: `RUN/checkpoints`.
        last: how many stay, at least 1.
        verified: remembers which ones it has read; without it every checkpoint that stays is read.

    Raises:
        ValueError: `last` is less than 1.
        CheckpointError: the disk refused; whatever could not be deleted is still whole.
    """
    if last < 1:
        raise ValueError(f"At least the last checkpoint must be kept, not the last {last}.")
    verified = verified or Verified()
    old = _older_than_verified(list_folders(directory), last, verified)
    # Only what would go need be judged against the best.
    best = find_best(directory, verified) if old else None
    removed = [path for path in old if path != best]
    for path in removed:
        try:
            remove(path)
        except OSError as error:
            raise CheckpointError(
                f"{path} is too old to keep and could not be deleted: {error.strerror}."
            ) from error
    note_latest(directory)
    return removed


def _older_than_verified(folders: list[Path], last: int, verified: Verified) -> list[Path]:
    """What comes before the newest `last` that verify; nothing if there are not so many."""
    for index in reversed(range(len(folders))):
        last -= verified.check(folders[index])
        if last == 0:
            return folders[:index]
    return []


def find_best(directory: Path, verified: Verified | None = None) -> Path | None:
    """The checkpoint of the lowest score that verifies; None if none was judged."""
    verified = verified or Verified()
    return next((path for path, _ in by_score(read_manifests(directory)) if verified.check(path)), None)
