"""Threads that decode and draw for the waiting clients in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from app.engine.scheduling.fair_slots import FairSlots

T = TypeVar("T")


class FairThreads:
    """A few threads for calls that cannot be interrupted; a free one takes the next client's oldest call.

    A cancelled call that has begun occupies its thread until it ends. One that has not is dropped at once.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._executor = ThreadPoolExecutor(threads, name)
        self._slots = FairSlots(threads)

    async def run(self, client: str, call: Callable[[], T]) -> T:
        """Return the result of a call in a thread, once it is the client's turn."""
        loop = asyncio.get_running_loop()
        await self._slots.take(client)
        running = self._executor.submit(call)
        running.add_done_callback(lambda _: self._release_in(loop))
        return await asyncio.wrap_future(running)

    def close(self) -> None:
        """Start no more calls; those that have begun end by themselves."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _release_in(self, loop: asyncio.AbstractEventLoop) -> None:
        with suppress(RuntimeError):  # the loop is closed: nothing waits any more
            loop.call_soon_threadsafe(self._slots.release)
