"""Test the phrases that messages share."""

from __future__ import annotations

import pytest

from training.console.phrases import format_duration, shorten_list


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59.6, "1 min 0 s"), (3_599, "59 min 59 s"), (18_420, "5 h 7 min"), (3_600_000, "41 d 16 h")],
)
def test_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert format_duration(seconds) == words


def test_long_list_names_the_first_and_counts_the_rest() -> None:
    assert shorten_list(["a", "b"], most=2) == "a, b"
    assert shorten_list(["a", "b", "c", "d"], most=2) == "a, b and 2 more"
