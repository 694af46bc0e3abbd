"""Retention: the last few checkpoints and the best stay, the others go."""

from __future__ import annotations

from pathlib import Path

from training.checkpoint.errors import CheckpointError
from training.checkpoint.folders import remove
from training.checkpoint.latest import by_score, note_latest, read_manifests
from training.checkpoint.read import list_folders, verify


def keep(directory: Path, *, last: int) -> list[Path]:
    """Delete what is older than the newest `last` verified checkpoints, except the best; return what went.

    Every byte of those that stay is read. Nothing goes before `last` others were verified, so a damaged one
    never takes a good one's place; the damaged one itself goes once it is older than they are.

    Raises:
        ValueError: `last` is less than 1.
        CheckpointError: the disk refused; whatever could not be deleted is still whole.
    """
    if last < 1:
        raise ValueError(f"At least the last checkpoint must be kept, not the last {last}.")
    folders = list_folders(directory)
    old = _older_than_verified(folders, last)
    # Only what would go need be judged against the best.
    best = find_best(directory) if old else None
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


def _older_than_verified(folders: list[Path], last: int) -> list[Path]:
    """What comes before the newest `last` that verify; nothing if there are not so many."""
    for index in reversed(range(len(folders))):
        last -= _verifies(folders[index])
        if last == 0:
            return folders[:index]
    return []


def find_best(directory: Path) -> Path | None:
    """The checkpoint of the lowest score that verifies; None if none was judged."""
    return next((path for path, _ in by_score(read_manifests(directory)) if _verifies(path)), None)


def _verifies(path: Path) -> bool:
    try:
        verify(path)
    except CheckpointError:
        return False
    return True
