"""The families of a method's loss terms: their names for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class LossFamily(NamedTuple):
    """Terms of one kind. A term's name is its family's, an underscore, and what it is about: `G_cycle_A`."""

    title: str
    """Of its chart in a report."""
    words: str
    """What the value is."""
    shown_as: str | None = None
    """Its name in the progress line; None leaves it out there."""


LossFamilies = Mapping[str, LossFamily]
"""By name, in the order of a report's charts."""


def family_of(term: str) -> str:
    """Return the family of a term: `G_cam_adv` of `G_cam_adv_GA`."""
    return term.rpartition("_")[0]
