"""Lengths of time as people say them."""

from __future__ import annotations

import pytest

from training.console.durations import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59.6, "1 min 0 s"), (3_599, "59 min 59 s"), (18_420, "5 h 7 min"), (3_600_000, "41 d 16 h")],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
