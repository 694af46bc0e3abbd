"""Test intervals and test against published values, and against sums in exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest

from app.study.statistics import binomial_tail, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # R. G. Newcombe, Two-sided confidence intervals for the single proportion, 1998, table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_equals_published_intervals(successes: int, trials: int, low: float, high: float) -> None:
    interval = wilson(successes, trials)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@pytest.mark.parametrize(("successes", "trials"), [(1, 3), (40, 100), (7, 8), (1234, 13_500)])
def test_ends_of_wilsons_interval_solve_its_equation(successes: int, trials: int) -> None:
    share = successes / trials
    for end in wilson(successes, trials):
        assert abs(share - end) == pytest.approx(1.959963984540054 * (end * (1 - end) / trials) ** 0.5)


def test_wilson_at_the_ends_and_without_trials() -> None:
    assert wilson(0, 0) == (0, 1)
    assert wilson(0, 5).low == 0
    assert wilson(5, 5).high == 1
    assert wilson(0, 20).high == pytest.approx(1 - wilson(20, 20).low)


@pytest.mark.parametrize(
    ("successes", "trials", "options"),
    [(8, 10, 2), (40, 100, 3), (0, 7, 4), (7, 7, 4), (200, 500, 3), (3, 9, 9)],
)
def test_tail_equals_the_sum_of_exact_fractions(successes: int, trials: int, options: int) -> None:
    chance = Fraction(1, options)
    exact = sum(
        comb(trials, count) * chance**count * (1 - chance) ** (trials - count)
        for count in range(successes, trials + 1)
    )
    assert binomial_tail(successes, trials, options) == float(exact)


def test_tail_equals_known_values() -> None:
    assert binomial_tail(8, 10, 2) == 56 / 1024
    assert binomial_tail(0, 10, 3) == 1
    assert binomial_tail(0, 0, 3) == 1
    assert binomial_tail(3, 3, 3) == pytest.approx(1 / 27)


def test_tail_of_a_large_study_is_quick_and_finite() -> None:
    # Independently, as the sum of exponentials of log-gamma functions.
    assert binomial_tail(5_000, 13_500, 3) == pytest.approx(7.656202035e-20, rel=1e-9, abs=0)
