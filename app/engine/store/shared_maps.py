"""Compute the discriminators' maps of a translation once for all requests that wait for them."""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from app.engine.store.entry import ComputeMaps, Maps


class SharedMaps:
    """The discriminators' maps of one translation, computed by the first request that needs them."""

    def __init__(self) -> None:
        self._maps: Maps | None = None
        self._lock = asyncio.Lock()

    async def get(self, compute: ComputeMaps) -> Maps:
        """Return the maps by name; if computing them fails, the next waiting request tries again."""
        if self._maps is None:
            async with self._lock:
                if self._maps is None:
                    self._maps = await compute()
        return self._maps


class SharedMapsById:
    """The `SharedMaps` of each translation, as long as a request or a store holds them."""

    def __init__(self) -> None:
        self._by_id: WeakValueDictionary[str, SharedMaps] = WeakValueDictionary()

    def __getitem__(self, id_: str) -> SharedMaps:
        shared = self._by_id.get(id_)
        if shared is None:
            self._by_id[id_] = shared = SharedMaps()
        return shared
