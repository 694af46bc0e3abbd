"""Choose one of a run's checkpoints: the newest, the best, or that of a step."""

from __future__ import annotations

from pathlib import Path

from training.checkpoint.best import find_best
from training.checkpoint.content import Checkpoint
from training.checkpoint.errors import CheckpointError
from training.checkpoint.folders import folder_of, step_of
from training.checkpoint.read import list_folders, load, load_newest


def load_chosen(directory: Path, *, step: int | None = None, best: bool = False) -> Checkpoint:
    """Return the checkpoint of a step, the best one, or the newest that can be used.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be used; the message lists the steps.
    """
    if step is not None:
        return load(_of_step(directory, step))
    if best:
        return load(_best(directory))
    return load_newest(directory)[0]


def _of_step(directory: Path, step: int) -> Path:
    folder = folder_of(directory, step)
    if folder not in list_folders(directory):
        raise CheckpointError(f"{directory} has no checkpoint of step {step:,}; {_existing(directory)}.")
    return folder


def _best(directory: Path) -> Path:
    folder = find_best(directory)
    if folder is None:
        raise CheckpointError(
            f"{directory} has no usable checkpoint with a score; choose one with --step N: "
            f"{_existing(directory)}."
        )
    return folder


def _existing(directory: Path) -> str:
    steps = [f"{step_of(folder):,}" for folder in list_folders(directory)]
    if not steps:
        return "it has none yet"
    *others, last = steps
    return (
        f"it has those of steps {', '.join(others)} and {last}" if others else f"it has that of step {last}"
    )
