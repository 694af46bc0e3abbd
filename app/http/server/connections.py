"""Count the open connections, and those that were closed to make room for others."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from typing import Final

_SILENCE_SECONDS: Final = 10.0
"""Between two lines about closed connections: a crowd may close hundreds in a second."""

log = logging.getLogger("ugatit.access")


class Connections:
    """The connections of one server."""

    def __init__(self, limit: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start with none.

        Args:
            limit: how many may be open.
            clock: seconds.
        """
        self.limit = limit
        self.open = 0
        self.displaced = 0
        """How many were closed to make room."""
        self._clock = clock
        self._logged = 0
        self._silent_until = -math.inf

    def displace(self) -> None:
        """Count a connection that is closed to make room; log a line, if the last one is some time ago."""
        self.displaced += 1
        now = self._clock()
        if now < self._silent_until:
            return
        closed, self._logged = self.displaced - self._logged, self.displaced
        self._silent_until = now + _SILENCE_SECONDS
        log.warning(
            "Closed %d waiting connections to make room: %d are open (UGATIT_MAX_CONNECTIONS)",
            closed,
            self.limit,
        )
