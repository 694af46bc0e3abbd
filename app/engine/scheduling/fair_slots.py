"""Bound how many calls are in progress; those that wait take turns by client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.engine.scheduling.fair_queue import FairQueue


class FairSlots:
    """Slots that the waiting clients get in turn. What waits here can still be revoked or cancelled."""

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._taken = 0
        self._waiting: FairQueue[asyncio.Future[None]] = FairQueue()

    @property
    def waiting(self) -> int:
        """How many wait for a slot."""
        return len(self._waiting)

    def resize(self, slots: int) -> None:
        """Set the number of slots; those that are taken stay taken."""
        self._slots = slots
        self._give()

    @asynccontextmanager
    async def slot(self, client: str) -> AsyncIterator[None]:
        """Hold a slot until the end of the block."""
        await self.take(client)
        try:
            yield
        finally:
            self.release()

    async def take(self, client: str) -> None:
        """Wait for a slot. Whoever takes it must release it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.add(client, turn)
        self._give()
        try:
            await turn
        except asyncio.CancelledError:
            self._waiting.discard(client, turn)
            if turn.done() and not turn.cancelled():  # its turn came at the same moment
                self.release()
            raise

    def release(self) -> None:
        """Give a slot that was taken to the next client."""
        self._taken -= 1
        self._give()

    def _give(self) -> None:
        while self._taken < self._slots and self._waiting:
            turn = self._waiting.pop()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)
