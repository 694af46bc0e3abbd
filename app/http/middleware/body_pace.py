"""Bound the time of one request body by its progress."""

from __future__ import annotations

from typing import NamedTuple


class PaceLimits(NamedTuple):
    """How fast a body must arrive."""

    window_seconds: float
    """A window: within it the minimum rate must be met once. The first one is the start."""
    min_bytes_per_second: int
    total_seconds: float
    """Time for the whole body, however steadily it arrives."""

    @property
    def window_bytes(self) -> float:
        """Bytes that must arrive within a window, unless the body ends in it."""
        return self.window_seconds * self.min_bytes_per_second


class Pace:
    """The deadline of one body. It moves on whenever another window's bytes have arrived."""

    def __init__(self, limits: PaceLimits, *, now: float) -> None:
        """Start the clock. `now` and every later time are seconds on one monotonic clock."""
        self._limits = limits
        self._bytes_in_window = 0
        self._end = now + limits.total_seconds
        self.deadline = min(now + limits.window_seconds, self._end)
        """When the wait for more of the body is over."""

    def add(self, count: int, *, now: float) -> None:
        """Note `count` more bytes; enough of them open the next window."""
        self._bytes_in_window += count
        if self._bytes_in_window >= self._limits.window_bytes:
            self._bytes_in_window = 0
            self.deadline = min(now + self._limits.window_seconds, self._end)

    def why_late(self) -> str:
        """Say which bound the body has missed, and what to do."""
        if self.deadline == self._end:
            missed = f"The body must be complete within {self._limits.total_seconds:g} seconds"
        else:
            missed = (
                f"At least {self._limits.window_bytes:,.0f} bytes of the body must arrive within "
                f"{self._limits.window_seconds:g} seconds, got {self._bytes_in_window:,}"
            )
        return f"{missed}; send a smaller picture or use a faster connection."
