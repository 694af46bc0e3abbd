"""Translations kept in the memory of this process."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from app.engine.errors import AttentionGone
from app.engine.store.entry import ComputeMaps, Entry, Maps, new_id
from app.engine.store.shared_maps import SharedMaps, SharedMapsById


class StoreUsage(NamedTuple):
    """How much a store holds."""

    entries: int
    size_bytes: int


class _Slot(NamedTuple):
    entry: Entry
    maps: SharedMaps
    """Kept as long as the entry."""


class MemoryStore:
    """Entries in memory. All have the same lifetime; when the store is full, the oldest are dropped."""

    available = True

    def __init__(self, *, max_entries: int, max_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._slots: OrderedDict[str, _Slot] = OrderedDict()  # the oldest first
        self._shared_maps = SharedMapsById()
        self._size_bytes = 0
        self.lost = 0

    @property
    def usage(self) -> StoreUsage:
        """The number of entries and their size."""
        self._drop_expired()
        return StoreUsage(len(self._slots), self._size_bytes)

    async def open(self) -> None:
        """Do nothing: memory is always available."""

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    async def put(self, entry: Entry) -> str | None:
        """Keep an entry and return its id; None if it is larger than the whole store."""
        if entry.size_bytes > self._max_bytes:
            self.lost += 1
            return None
        id_ = new_id()
        self._slots[id_] = _Slot(entry, self._shared_maps[id_])
        self._size_bytes += entry.size_bytes
        self._drop_expired()
        while len(self._slots) > self._max_entries or self._size_bytes > self._max_bytes:
            self._drop_oldest()
        return id_

    async def get(self, id_: str) -> Entry:
        """Return the entry of an id.

        Raises:
            AttentionGone: the entry expired, was dropped, or never existed.
        """
        self._drop_expired()
        slot = self._slots.get(id_)
        if slot is None:
            raise AttentionGone
        return slot.entry

    async def holds(self, id_: str) -> bool:
        """Return whether the entry of an id is still kept."""
        self._drop_expired()
        return id_ in self._slots

    async def discriminator_maps(self, id_: str, _entry: Entry, compute: ComputeMaps) -> Maps:
        """Return the discriminators' maps, computed once and kept as long as their entry."""
        return await self._shared_maps[id_].get(compute)

    def _drop_expired(self) -> None:
        # All entries have the same lifetime, so the oldest expire first.
        now = self._clock()
        while self._slots and next(iter(self._slots.values())).entry.expires_at <= now:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, slot = self._slots.popitem(last=False)
        self._size_bytes -= slot.entry.size_bytes
