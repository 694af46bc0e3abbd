"""How often each client may ask: a bucket of tokens that fills steadily."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from app.http.problems.request_errors import RateLimited

_MOST_CLIENTS: Final = 10_000
"""Buckets that are remembered. Who was not heard of for longest starts with a full one again."""


class Buckets:
    """A bucket for each client, in this process."""

    def __init__(
        self,
        per_minute: float,
        burst: int,
        *,
        most_clients: int = _MOST_CLIENTS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with full buckets.

        Args:
            per_minute: tokens that come in a minute; 0 for no limit.
            burst: tokens that a bucket holds.
            most_clients: buckets that are remembered.
            clock: in seconds.
        """
        self._per_second = per_minute / 60
        self._burst = burst
        self._most_clients = most_clients
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when they were so

    def take(self, client: str) -> None:
        """Take a client's token for one request.

        Raises:
            RateLimited: there is none; it says when there will be.
        """
        if not self._per_second:
            return
        now = self._clock()
        tokens, then = self._buckets.pop(client, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - then) * self._per_second)
        spent = tokens >= 1
        self._buckets[client] = (tokens - spent, now)
        while len(self._buckets) > self._most_clients:
            self._buckets.popitem(last=False)
        if not spent:
            raise RateLimited(max(1, math.ceil((1 - tokens) / self._per_second)))
