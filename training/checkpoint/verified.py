"""Remember which checkpoints were verified, so that none is read twice."""

from __future__ import annotations

import os
from pathlib import Path

from training.checkpoint.errors import CheckpointError
from training.checkpoint.finite import is_finite
from training.checkpoint.read import verify

_Stamp = frozenset[tuple[str, int, int, int]]
"""Name, size, modification time and inode number of every file in a folder."""


class Verified:
    """A cache of verification results, each valid until a file of its checkpoint changes."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Stamp, bool]] = {}

    def check(self, path: Path) -> bool:
        """Return whether `path` is a usable checkpoint: every byte as written, every value finite."""
        stamp = _stamp(path)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            known = self._known[path] = (stamp, _verifies(path))
        return known[1]


def _stamp(path: Path) -> _Stamp:
    try:
        entries = [(entry.name, entry.stat(follow_symlinks=False)) for entry in os.scandir(path)]
    except OSError:
        return frozenset()
    return frozenset((name, found.st_size, found.st_mtime_ns, found.st_ino) for name, found in entries)


def _verifies(path: Path) -> bool:
    try:
        return is_finite(path, verify(path))
    except CheckpointError:
        return False
