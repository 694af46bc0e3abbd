"""What the engine returns for one translated picture."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.store.entry import AttentionMap, Entry
from models.bundle.declarations import HeatMap


class StageSeconds(NamedTuple):
    """The time that a translation spent in each stage of the engine."""

    decode: float
    queue: float
    inference: float


class TranslationResult(NamedTuple):
    """One translated picture."""

    id: str | None
    """For its heat maps; None if the store could not keep them."""
    entry: Entry
    source_probability: float | None
    """How sure the generator's classifiers are to see the source domain, 0 to 1; None without attention."""
    seconds: StageSeconds
    batch: int
    """How many pictures its run had, this one included."""
    provider: str | None
    """The execution provider that ran it."""
    shown_size: tuple[int, int]
    """Height and width of what was translated, in the photo's own pixels."""


class FoundMap(NamedTuple):
    """A heat map of an earlier translation."""

    entry: Entry
    declared: HeatMap
    values: AttentionMap


def source_probability(cam_logit: NDArray[Any]) -> float:
    """Return the mean of the two classifiers' sigmoids, from logits `[2]`."""
    return float(np.mean(1 / (1 + np.exp(-cam_logit.astype(np.float64)))))
