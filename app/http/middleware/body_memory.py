"""Bound the memory of all request bodies together, and share it among clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.engine.retry import with_jitter
from app.http.problems.request_errors import ReceivingFull

_RETRY_SECONDS: Final = 2


class Body:
    """The bytes that are held of one request's body."""

    def __init__(self, client: str, displace: Callable[[], None]) -> None:
        self.client = client
        self.held_bytes = 0
        self.displaced = False
        self.complete = False
        """Whether all of it is there: then the work goes on, and nobody else may have its memory."""
        self.displace = displace
        """Wakes the request that waits for more of it."""


class Receiving:
    """The bytes of all bodies. Whoever has most gives way to another client when there is no room left."""

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self._bodies: list[Body] = []
        self.held_bytes = 0

    def add(self, body: Body, count: int) -> None:
        """Hold some more bytes of a body.

        Raises:
            ReceivingFull: there is no room for them, or the body's room was given to another client.
        """
        if body not in self._bodies and not body.displaced:
            self._bodies.append(body)
        while not body.displaced and self.held_bytes + count > self.limit_bytes:
            self._make_room(body, count)
        if body.displaced:
            raise ReceivingFull(with_jitter(_RETRY_SECONDS))
        body.held_bytes += count
        self.held_bytes += count

    def release(self, body: Body) -> None:
        """Forget a body; calling it twice does no harm."""
        self.held_bytes -= body.held_bytes
        body.held_bytes = 0
        if body in self._bodies:
            self._bodies.remove(body)

    def _make_room(self, body: Body, count: int) -> None:
        """Displace the newest unfinished body of the client who has most; of this one, if nobody has more."""
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
