"""When a rejected client should try again, spread in time so that a crowd does not return all at once."""

from __future__ import annotations

import random
from typing import Final

_MIN_JITTER_SECONDS: Final = 4
MAX_RETRY_SECONDS: Final = 120
"""The longest time that a client is asked to wait: by then the load may have changed."""

generator = random.Random()  # noqa: S311  # No secret depends on it; tests replace it by a seeded one.


def with_jitter(seconds: int) -> int:
    """Return a random whole number of seconds for `Retry-After`.

    It is evenly distributed from `seconds` to 2 * `seconds`, or to `seconds` + 4 if that is more: clients
    that were rejected at the same moment return over a time in which the service can do their work.

    Args:
        seconds: when the service expects to have capacity, 1 or more.
    """
    first = min(seconds, MAX_RETRY_SECONDS // 2)
    return first + generator.randint(0, max(first, _MIN_JITTER_SECONDS))
