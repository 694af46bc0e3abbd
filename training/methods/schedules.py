"""Learning rates as functions of the share of a run that is done."""

from __future__ import annotations


def linear_to_zero(done: float, *, decay_from: float) -> float:
    """Return the factor of a rate that is constant up to a share of the run, then falls linearly to 0."""
    return 1.0 if done <= decay_from else (1 - done) / (1 - decay_from)
