"""The permits of requests, until the engine admits no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from app.engine.errors import Draining
from app.engine.scheduling.admission import Permit
from app.engine.serving import Directions, ServingDirection, ServingVersion


class RequestPermits:
    """Gives permits of directions to requests, and counts those that are held."""

    def __init__(self, directions: Directions) -> None:
        self.draining = False
        """Whether no more requests are admitted."""
        self._directions = directions
        self._held = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def drain(self) -> None:
        """Admit no more requests."""
        self.draining = True

    async def wait_until_drained(self) -> None:
        """Wait until every admitted request is done."""
        await self._idle.wait()

    def check(self, direction: str, client: str) -> ServingDirection:
        """Return the direction of that name, if it would admit a picture of the client now.

        Raises:
            UnknownDirection, Draining, Loading, DirectionDefunct, QueueFull, FairShare: it would not.
        """
        chosen = self._directions[direction]
        if self.draining:
            raise Draining
        chosen.require_ready()
        chosen.admission.check(client)
        return chosen

    @contextmanager
    def hold(self, direction: ServingDirection, client: str) -> Iterator[tuple[Permit, ServingVersion]]:
        """Hold a permit of a direction, and the version that serves now, until the end of the block.

        Raises:
            QueueFull, FairShare: no permit is available; or another client needed this one later.
        """
        with direction.admission.permit(client) as permit, self._counted(), direction.translator() as version:
            yield permit, version

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._held += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._held -= 1
            if not self._held:
                self._idle.set()
