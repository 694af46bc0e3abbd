"""Counters of a server's connections: open now, and closed to make room for others."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Final

_LOG_INTERVAL_SECONDS: Final = 10.0
"""Time between two log lines about closed connections: an overload may close hundreds in a second."""

log = logging.getLogger("ugatit.access")


class Connections:
    """The connections of one server."""

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with no connections.

        Args:
            limit: the most connections that may be open.
            clock: the time in seconds.
        """
        self.limit = limit
        self.open = 0
        self.displaced = 0
        """Connections closed to make room so far."""
        self._clock = clock
        self._logged = 0
        self._next_log = -math.inf

    def count_displaced(self) -> None:
        """Count a connection closed to make room; log at most one line every ten seconds."""
        self.displaced += 1
        now = self._clock()
        if now < self._next_log:
            return
        closed, self._logged = self.displaced - self._logged, self.displaced
        self._next_log = now + _LOG_INTERVAL_SECONDS
        log.warning(
            "Closed %d waiting connections to make room: the limit of %d is reached (UGATIT_MAX_CONNECTIONS)",
            closed,
            self.limit,
        )
