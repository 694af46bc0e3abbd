"""The training pictures that a step needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from training.data.derived import DerivedSet


@dataclass(frozen=True, kw_only=True)
class DataNeeds:
    """What a batch holds. A batch has a tensor for each domain and for each derived set, by its name."""

    pictures_each: int = 1
    """Pictures of each domain that a step takes for one picture of `batch`; a method may take two."""
    derived: tuple[DerivedSet, ...] = ()
    """Sets that are computed from a domain's pictures."""


ONE_OF_EACH: Final = DataNeeds()
"""One picture of each domain, and no derived set."""
