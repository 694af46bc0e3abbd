"""Limit the memory of all request bodies together, and share it among clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.engine.retry import with_jitter
from app.http.problems.request_errors import ReceivingFull

_RETRY_SECONDS: Final = 2


class HeldBody:
    """The memory held by one request's body."""

    def __init__(self, client: str, displace: Callable[[], None]) -> None:
        self.client = client
        self.held_bytes = 0
        self.displaced = False
        self.complete = False
        """Whether the body is complete. A complete body is being used, so it keeps its memory."""
        self.displace = displace
        """Wakes the request that waits for more of this body."""


class BodyMemory:
    """The memory of all bodies. When it is full, the client that holds most makes room for another client."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._bodies: list[HeldBody] = []
        self.held_bytes = 0

    def add(self, body: HeldBody, count: int) -> None:
        """Count more bytes of a body.

        Raises:
            ReceivingFull: the memory is full, or the body's memory was given to another client.
        """
        if body not in self._bodies and not body.displaced:
            self._bodies.append(body)
        while not body.displaced and self.held_bytes + count > self.limit_bytes:
            self._make_room(body, count)
        if body.displaced:
            raise ReceivingFull(with_jitter(_RETRY_SECONDS))
        body.held_bytes += count
        self.held_bytes += count

    def release(self, body: HeldBody) -> None:
        """Release the memory of a body; a second call has no effect."""
        self.held_bytes -= body.held_bytes
        body.held_bytes = 0
        if body in self._bodies:
            self._bodies.remove(body)

    def _make_room(self, body: HeldBody, count: int) -> None:
        """Displace the newest incomplete body of the client that holds most; `body` if none holds more."""
        own = self._held_by(body.client) + count
        others = [each for each in self._bodies if not each.complete and each.held_bytes]
        victim = max(reversed(others), key=lambda each: self._held_by(each.client), default=body)
        if self._held_by(victim.client) <= own:
            victim = body
        self.release(victim)
        victim.displaced = True
        if victim is not body:
            victim.displace()

    def _held_by(self, client: str) -> int:
        return sum(each.held_bytes for each in self._bodies if each.client == client)
