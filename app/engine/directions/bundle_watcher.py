"""Follow the folder of bundles: load it at the start, look again when told to or every so often."""

from __future__ import annotations

import asyncio
import logging

from app.engine.directions.registry import Registry

log = logging.getLogger("ugatit.engine")


class Follower:
    """One task, so that never two reloads are under way; who asks during one gets another after it."""

    def __init__(self, registry: Registry, poll_seconds: float | None = None) -> None:
        """Args:
        registry: what is loaded.
        poll_seconds: how long after a look the next follows by itself; None waits until it is asked for.
        """
        self._registry = registry
        self._poll_seconds = poll_seconds
        self._asked = asyncio.Event()
        self._first: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to load."""
        self._first = asyncio.create_task(self._registry.load())
        self._task = asyncio.create_task(self._follow(self._first))

    async def loaded(self) -> None:
        """Wait until everything that was there at the start is loaded."""
        if self._first is not None:
            await self._first

    def ask(self) -> None:
        """Look again, soon."""
        self._asked.set()

    def close(self) -> None:
        """Look no more; what is being loaded is forgotten."""
        for task in (self._first, self._task):
            if task is not None:
                task.cancel()

    async def _follow(self, first: asyncio.Task[None]) -> None:
        await asyncio.wait({first})
        while True:
            asked = await self._wait()
            try:
                await self._registry.reload(again=asked)
            except Exception:  # a bug of ours; what serves must go on, and the next look too
                log.exception("Looking for new bundles failed")

    async def _wait(self) -> bool:
        """Whether somebody asked; else it is time."""
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True
