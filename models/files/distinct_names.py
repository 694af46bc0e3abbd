"""Name paths by their ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def distinct_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the shortest ends of the paths that are all different, such as `new-cat2dog`.

    Raises:
        ValueError: a path is given twice. The message is a sentence.
    """
    whole = [path.resolve() for path in paths]
    for path, resolved in zip(paths, whole, strict=True):
        if whole.count(resolved) > 1:
            raise ValueError(f"{path} is given twice; give it once.")
    length = 1
    while len({path.parts[-length:] for path in whole}) < len(whole):
        length += 1
    return {path: "-".join(full.parts[-length:]) for path, full in zip(paths, whole, strict=True)}
