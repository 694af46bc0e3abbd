"""Say when a refused client should come back, so that those refused together do not come back together."""

from __future__ import annotations

import random
from typing import Final

_LEAST_SPREAD_SECONDS: Final = 4
MOST_SECONDS: Final = 120
"""No client is told to wait longer: by then the load may have changed."""

chance = random.Random()  # noqa: S311  # Nothing secret depends on it. A test seeds it.


def spread(seconds: int) -> int:
    """Return a random whole number of seconds for `Retry-After`.

    It is evenly distributed from `seconds` to twice that, or to 4 s more if that is later: a crowd that was
    refused within one moment comes back over a time in which the service can do its work.

    Args:
        seconds: when there will be room, 1 or more.
    """
    first = min(seconds, MOST_SECONDS // 2)
    return first + chance.randint(0, max(first, _LEAST_SPREAD_SECONDS))
