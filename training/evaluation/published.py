"""KID that others have published, with its sources."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final, NamedTuple

_FILE: Final = Path(__file__).with_name("published.toml")
_PRINTED: Final = re.compile(r"(\d+\.\d+) ± (\d+\.\d+)")
_TIMES: Final = 100
"""The factor by which papers multiply KID."""


class Published(NamedTuple):
    """A published figure, not multiplied by 100."""

    value: float
    spread: float


class Source(NamedTuple):
    """A publication, whose figures have one column of their own: its protocol is not known to be ours."""

    name: str
    column: str
    words: str
    kid: dict[str, dict[str, Published]]
    """By direction (`selfie2anime`), then by method."""


def read_published() -> list[Source]:
    """Return the publications in the order of the file."""
    document = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return [
        Source(
            each["name"],
            each["column"],
            each["words"],
            {
                direction: {method: _figure(printed) for method, printed in methods.items()}
                for direction, methods in each["kid"].items()
            },
        )
        for each in document["sources"]
    ]


def _figure(printed: str) -> Published:
    numbers = _PRINTED.fullmatch(printed)
    assert numbers is not None, f"not of the form 'value ± spread': {printed!r}"
    return Published(float(numbers[1]) / _TIMES, float(numbers[2]) / _TIMES)
