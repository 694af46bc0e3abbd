"""Bound how much a direction holds at once, and tell the others when to come back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from app.engine.errors import QueueFull

_SMOOTHING = 0.2


class Admission:
    """The permits of one direction. Whoever holds a picture of it holds a permit."""

    def __init__(self, permits: int) -> None:
        self.permits = permits
        self.held = 0
        self._seconds_each = 0.0

    @contextmanager
    def permit(self) -> Iterator[None]:
        """Hold a permit; every way out of the block gives it back.

        Raises:
            QueueFull: all are held.
        """
        self.check()
        self.held += 1
        try:
            yield
        finally:
            self.held -= 1

    def check(self) -> None:
        """Look whether a permit could be had.

        Raises:
            QueueFull: all are held.
        """
        if self.held >= self.permits:
            wait = self.retry_after_seconds
            raise QueueFull(f"The queue is full ({self.permits} pictures); try again in {wait} s.", wait)

    def measured(self, run_seconds: float, pictures: int) -> None:
        """Learn from a run how long a picture takes."""
        each = run_seconds / pictures
        first = self._seconds_each == 0.0
        self._seconds_each += (each - self._seconds_each) * (1.0 if first else _SMOOTHING)

    @property
    def retry_after_seconds(self) -> int:
        """Whole seconds until what is held now will be done; at least 1."""
        return max(1, math.ceil(self.held * self._seconds_each))
