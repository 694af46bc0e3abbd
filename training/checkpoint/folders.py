"""The folders of `checkpoints/`: zero-padded steps, and dot-names while one is written or deleted."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Final

from models.storage.durable import sync_directory

_STEP: Final = re.compile(r"\d{8}|[1-9]\d{8,}")
_TEMPORARY: Final = re.compile(r"\.\d{8,}\.(new|gone)")


def folder_of(directory: Path, step: int) -> Path:
    """Return the folder of a step's checkpoint: `00000012` for step 12."""
    return directory / f"{step:08d}"


def step_of(folder: Path) -> int | None:
    """Return the step in a folder's name, or None if the name is not a step."""
    return int(folder.name) if _STEP.fullmatch(folder.name) else None


def find_folders(directory: Path) -> list[Path]:
    """Return everything named as a step, complete or not, the newest last.

    The list is empty if there is no such directory.

    Raises:
        OSError: the directory cannot be read.
    """
    if not directory.exists():
        return []
    steps = {path: step_of(path) for path in directory.iterdir()}
    return sorted((path for path, step in steps.items() if step is not None), key=lambda path: int(path.name))


def name_of_new(folder: Path) -> Path:
    """Return the name of a checkpoint while it is written."""
    return folder.with_name(f".{folder.name}.new")


def name_of_deleted(folder: Path) -> Path:
    """Return the name of a checkpoint while it is deleted."""
    return folder.with_name(f".{folder.name}.gone")


def remove(folder: Path) -> None:
    """Delete a checkpoint. A kill leaves it complete or under its dot-name, never incomplete.

    Raises:
        OSError: the disk refused; the checkpoint is still there.
    """
    gone = name_of_deleted(folder)
    discard(gone)
    folder.rename(gone)
    sync_directory(folder.parent)
    discard(gone)


def clear_debris(directory: Path) -> None:
    """Delete the dot-names that a killed process left, and nothing else."""
    for path in directory.iterdir():
        if _TEMPORARY.fullmatch(path.name):
            discard(path)


def discard(path: Path) -> None:
    """Delete what is there, ignoring errors of the disk: its dot-name already says that it does not count."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    elif os.path.lexists(path):
        path.unlink()
