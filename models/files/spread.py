"""Choose some of many items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def evenly_spread(items: Sequence[T], most: int) -> list[T]:
    """Return at most `most` of the items, evenly spread over their order, with the first one."""
    count = min(most, len(items))
    return [items[index * len(items) // count] for index in range(count)]
