"""Limit the time of one request body by its progress."""

from __future__ import annotations

from typing import NamedTuple


class PaceLimits(NamedTuple):
    """The minimum rate and the total time of a body."""

    window_seconds: float
    """Length of a window. Each window must have the minimum rate; the first starts with the body."""
    min_bytes_per_second: int
    total_seconds: float
    """Time for the whole body at any rate."""

    @property
    def window_bytes(self) -> float:
        """Bytes that must arrive within a window, unless the body ends within it."""
        return self.window_seconds * self.min_bytes_per_second


class Pace:
    """The deadline of one body. Each time a window's bytes have arrived, the next window starts."""

    def __init__(self, limits: PaceLimits, *, now: float) -> None:
        """Start the clock. `now` and every later time are seconds on one monotonic clock."""
        self._limits = limits
        self._bytes_in_window = 0
        self._end = now + limits.total_seconds
        self.deadline = min(now + limits.window_seconds, self._end)
        """Time at which the body times out unless more of it arrives."""

    def add(self, count: int, *, now: float) -> None:
        """Count `count` more bytes and start the next window if this one has enough."""
        self._bytes_in_window += count
        if self._bytes_in_window >= self._limits.window_bytes:
            self._bytes_in_window = 0
            self.deadline = min(now + self._limits.window_seconds, self._end)

    def timeout_reason(self) -> str:
        """Return a sentence with the limit that the body exceeded and the remedy."""
        if self.deadline == self._end:
            missed = f"The body must be complete within {self._limits.total_seconds:g} seconds"
        else:
            missed = (
                f"At least {self._limits.window_bytes:,.0f} bytes of the body must arrive within "
                f"{self._limits.window_seconds:g} seconds, got {self._bytes_in_window:,}"
            )
        return f"{missed}; send a smaller picture or use a faster connection."
