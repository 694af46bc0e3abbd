"""Limit the request rate of each client with a token bucket."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from app.http.problems.request_errors import RateLimited

_MOST_CLIENTS: Final = 10_000
"""Buckets kept. The client idle for longest is dropped first, and gets a full bucket at its next request."""


class RateLimiter:
    """A token bucket for each client, in this process."""

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
            per_minute: tokens added per minute; 0 for no limit.
            burst: the most tokens in a bucket.
            most_clients: the most buckets kept.
            clock: the time in seconds.
        """
        self._per_second = per_minute / 60
        self._burst = burst
        self._most_clients = most_clients
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = (
            OrderedDict()
        )  # tokens, and the time of the count

    def take(self, client: str) -> None:
        """Take one of a client's tokens for a request.

        Raises:
            RateLimited: the bucket is empty; the error has the seconds until the next token.
        """
        if not self._per_second:
            return
        now = self._clock()
        tokens, counted_at = self._buckets.pop(client, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - counted_at) * self._per_second)
        granted = tokens >= 1
        self._buckets[client] = (tokens - granted, now)
        while len(self._buckets) > self._most_clients:
            self._buckets.popitem(last=False)
        if not granted:
            raise RateLimited(max(1, math.ceil((1 - tokens) / self._per_second)))
