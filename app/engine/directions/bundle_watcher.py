"""Load the folder of bundles at the start, and again on request or at intervals."""

from __future__ import annotations

import asyncio
import logging

from app.engine.directions.registry import Registry

log = logging.getLogger("ugatit.engine")


class BundleWatcher:
    """One task that loads and reloads: two reloads never overlap, and a request during one causes another."""

    def __init__(self, registry: Registry, poll_seconds: float | None = None) -> None:
        """Args:
        registry: the directions.
        poll_seconds: time from the end of one reload to the next; None reloads only on request.
        """
        self._registry = registry
        self._poll_seconds = poll_seconds
        self._requested = asyncio.Event()
        self._first_load: asyncio.Task[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start loading."""
        self._first_load = asyncio.create_task(self._registry.load())
        self._task = asyncio.create_task(self._watch(self._first_load))

    async def wait_until_loaded(self) -> None:
        """Wait until every bundle that existed at the start is loaded or rejected."""
        if self._first_load is not None:
            await self._first_load

    def request_reload(self) -> None:
        """Reload soon."""
        self._requested.set()

    def close(self) -> None:
        """Cancel the task and the load that it may be in."""
        for task in (self._first_load, self._task):
            if task is not None:
                task.cancel()

    async def _watch(self, first_load: asyncio.Task[None]) -> None:
        await asyncio.wait({first_load})
        while True:
            requested = await self._wait()
            try:
                await self._registry.reload(retry=requested)
            except Exception:  # our bug: serving and the next reload must go on
                log.exception("Reloading the bundles failed")

    async def _wait(self) -> bool:
        """Wait for a request or the next interval; return whether it was a request."""
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._requested.wait()
        except TimeoutError:
            return False
        self._requested.clear()
        return True
