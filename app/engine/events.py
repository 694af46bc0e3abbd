"""What the engine reports to the rest of the process, and who receives it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class RunFinished(NamedTuple):
    """A generator has run a batch."""

    direction: str
    seconds: float
    pictures: int


class EngineEvents:
    """Passes the events of an engine to its subscribers, in the engine's event loop."""

    def __init__(self) -> None:
        self._subscribers: list[Callable[[RunFinished], None]] = []

    def subscribe(self, subscriber: Callable[[RunFinished], None]) -> None:
        """Call `subscriber` with every later event; it must return at once."""
        self._subscribers.append(subscriber)

    def publish(self, event: RunFinished) -> None:
        """Pass an event to all subscribers."""
        for subscriber in self._subscribers:
            subscriber(event)
