"""File names in sentences."""

from __future__ import annotations

from collections.abc import Sequence


def some_of(names: Sequence[str], *, most: int = 6) -> str:
    """Return the first names of a list and how many more there are: `a, b and 3 more`."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
