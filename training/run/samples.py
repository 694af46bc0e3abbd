"""Samples of the networks at a save, and the score of the checkpoint: lower is better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Final, NamedTuple

from training.journal.sample_sheets import Sheets, sample_one_by_one
from training.methods.method import Batch, Method
from training.methods.running_average import RunningAverage

LEARNED: Final = "train"
SCORED: Final = "test"
"""The set of sample pictures that the score is measured on."""


class Samples(NamedTuple):
    """What the networks return for the sample pictures."""

    sheets: dict[str, Sheets]
    """By the name of the set, `train` or `test`."""
    score: float
    """NaN without a set `test`."""
    memorised: dict[str, float]
    """By discriminator, its mean answer to training pictures minus that to test pictures, which it has not
    seen: 0 if it judges both alike, 1 if it knows its training pictures by heart. Empty without both sets."""
    parts: Sheets
    """The parts of the heat maps of the set `test`, or of `train` without it, by direction and network."""


def take_samples(method: Method, average: RunningAverage | None, pictures: Mapping[str, Batch]) -> Samples:
    """Run the networks on sets of sample pictures, with the averaged weights if there is an average."""
    with average.in_place() if average is not None else nullcontext():
        sheets = {name: sample_one_by_one(method.sample, batch) for name, batch in pictures.items()}
        explained = pictures.get(SCORED) or pictures.get(LEARNED)
        parts = {} if explained is None else sample_one_by_one(method.sample_parts, explained)
    score = method.score(sheets[SCORED]) if SCORED in sheets else math.nan
    return Samples(sheets, score, _memorised(method, pictures), parts)


def _memorised(method: Method, pictures: Mapping[str, Batch]) -> dict[str, float]:
    if not {LEARNED, SCORED} <= pictures.keys():
        return {}
    learned, unseen = (method.answers_to_real(pictures[name]) for name in (LEARNED, SCORED))
    return {name: learned[name] - unseen[name] for name in learned}
