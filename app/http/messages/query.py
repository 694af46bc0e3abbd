"""Check what every query has in common, whatever its options are."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

from fastapi import Depends, Request

from app.http.problems.request_errors import RepeatedOption


async def _each_once(request: Request) -> None:
    """Check that no option comes twice: the framework would ignore all but the last.

    Raises:
        RepeatedOption: one does.
    """
    counts = Counter(name for name, _ in request.query_params.multi_items())
    for name, count in counts.items():
        if count > 1:
            raise RepeatedOption(f"The option {name[:64]} should come once, got {count}; leave one of them.")


OnceDep = Annotated[None, Depends(_each_once)]
