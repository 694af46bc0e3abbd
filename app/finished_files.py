"""Find the pictures whose results an earlier run of `ugatit translate` has written."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def is_finished(source: Path, results: Iterable[Path], bundle: Path) -> bool:
    """Return whether all results exist and are at least as new as their source and their bundle.

    A result has its name only when it is complete, so an interrupted run leaves none that is not.
    """
    try:
        written = min(path.stat().st_mtime_ns for path in results)
        return written >= max(source.stat().st_mtime_ns, (bundle / "manifest.json").stat().st_mtime_ns)
    except OSError:
        return False
