"""Wilson's interval of a share, and the exact binomial test."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

_Z: Final = 1.959963984540054
"""The 97.5 % quantile of the normal distribution, for 95 % in the middle."""


class Interval(NamedTuple):
    """The ends of an interval of shares."""

    low: float
    high: float


def wilson(successes: int, trials: int) -> Interval:
    """Return Wilson's 95 % interval of a share, without a correction for continuity; 0 to 1 without trials.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927.
    """
    assert 0 <= successes <= trials, "a share is of the trials"
    if trials == 0:
        return Interval(0.0, 1.0)
    share = successes / trials
    spread = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    middle, scale = share + _Z**2 / (2 * trials), 1 + _Z**2 / trials
    # At the ends the formula gives exactly 0 and 1, but for rounding.
    low = 0.0 if successes == 0 else (middle - spread) / scale
    high = 1.0 if successes == trials else (middle + spread) / scale
    return Interval(low, high)


def binomial_tail(successes: int, trials: int, options: int) -> float:
    """Return the probability of at least `successes` in `trials`, each with the probability 1 / `options`.

    The sum is computed in whole numbers, so only the result is rounded.
    """
    assert 0 <= successes <= trials, "successes are of the trials"
    assert options >= 1, "there is an option"
    ways = math.comb(trials, successes) * (options - 1) ** (trials - successes)
    total = ways
    for count in range(successes, trials):
        if options == 1:
            break
        ways = ways * (trials - count) // ((count + 1) * (options - 1))
        total += ways
    return float(total / options**trials)
