"""The folders of `checkpoints/`: zero-padded steps, and dot-names for what is coming or going."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from training.checkpoint.disk import sync_directory

_STEP: Final = re.compile(r"\d{8}|[1-9]\d{8,}")
_PASSING: Final = re.compile(r"\.\d{8,}\.(new|gone)")


def folder_of(directory: Path, step: int) -> Path:
    """Where the checkpoint of a step lies: step 12 in `00000012`."""
    return directory / f"{step:08d}"


def step_of(folder: Path) -> int | None:
    """The step that a folder's name tells, or None if the name is no step."""
    return int(folder.name) if _STEP.fullmatch(folder.name) else None


def find_folders(directory: Path) -> list[Path]:
    """All that is named as a step, whole or not, the newest last; empty if there is no such directory.

    Raises:
        OSError: the directory cannot be read.
    """
    if not directory.exists():
        return []
    steps = {path: step_of(path) for path in directory.iterdir()}
    return sorted((path for path, step in steps.items() if step is not None), key=lambda path: int(path.name))


def coming(folder: Path) -> Path:
    """Where a checkpoint is while it is being written."""
    return folder.with_name(f".{folder.name}.new")


def remove(folder: Path) -> None:
    """Delete a checkpoint, so that a kill leaves it whole or leaves a dot-name, never a half.

    Raises:
        OSError: the disk refused; it is still there.
    """
    gone = folder.with_name(f".{folder.name}.gone")
    discard(gone)
    folder.rename(gone)
    sync_directory(folder.parent)
    discard(gone)


def clear_debris(directory: Path) -> None:
    """Delete what a killed process left: its dot-names, and no other's."""
    for path in directory.iterdir():
        if _PASSING.fullmatch(path.name):
            discard(path)


def discard(path: Path) -> None:
    """Delete whatever is there, as far as the disk lets us: the name already says that it is nothing."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        path.unlink()
