"""Keep translations for a while, so that their heat maps can be asked for."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from app.engine.errors import AttentionGone
from models.images.frame import Frame

Map = NDArray[np.float32]
Compute = Callable[[], Awaitable[Mapping[str, Map]]]

_OVERHEAD_BYTES = 1024
"""What an entry costs beside its arrays, roughly, so that tiny pictures count too."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One translation and what is known about where its networks looked."""

    direction: str
    version: str
    source: Frame
    """What the network saw."""
    translation: NDArray[np.uint8]
    """`[H, W, 3]`, the whole frame, padding included."""
    generator: Map | None
    """`[h, w]`; None for a model without attention."""
    expires_at: float
    """Seconds since 1970."""
    others: Once = field(default_factory=lambda: Once())
    """The discriminators' maps by name, computed when first asked for."""

    @property
    def size_bytes(self) -> int:
        """The memory it takes, the discriminators' maps reserved at the generator map's size."""
        maps = 3 * self.generator.nbytes if self.generator is not None else 0
        return self.source.pixels.nbytes + self.translation.nbytes + maps + _OVERHEAD_BYTES


class Once:
    """Maps that are computed once, however many ask at the same time."""

    def __init__(self) -> None:
        self._maps: Mapping[str, Map] | None = None
        self._lock = asyncio.Lock()

    async def get(self, compute: Compute) -> Mapping[str, Map]:
        """The maps; the first to ask computes them. If that fails, the next to ask tries again."""
        if self._maps is None:
            async with self._lock:
                if self._maps is None:
                    self._maps = await compute()
        return self._maps


class Usage(NamedTuple):
    """What a store holds."""

    entries: int
    size_bytes: int


class AttentionStore(Protocol):
    """Where translations are kept: in memory for one process, elsewhere for several."""

    lost: int
    """How many translations could not be kept."""

    async def open(self) -> None:
        """Return when it has answered once; however long that takes."""

    async def close(self) -> None:
        """Let its connections go."""

    async def put(self, entry: Entry) -> str | None:
        """Keep an entry; its id is 22 base64url characters that cannot be guessed.

        None if it cannot be kept: a translation is worth its answer without its heat maps, too.
        """

    async def get(self, id_: str) -> Entry:
        """The entry of an id. Raises AttentionGone, StoreUnavailable."""

    async def others(self, id_: str, entry: Entry, compute: Compute) -> Mapping[str, Map]:
        """The discriminators' maps of an entry, computed where nobody has done so."""

    @property
    def available(self) -> bool:
        """Whether it answered when it was last asked."""

    @property
    def usage(self) -> Usage | None:
        """What it holds; None where that is not this process's to count."""


class MemoryStore:
    """Entries in memory: the oldest make room, and all live equally long."""

    available = True

    def __init__(self, *, max_entries: int, max_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._size_bytes = 0
        self.lost = 0

    @property
    def usage(self) -> Usage:
        """How many entries it holds, and their bytes."""
        self._expire()
        return Usage(len(self._entries), self._size_bytes)

    async def open(self) -> None:
        """Memory is always there."""

    async def close(self) -> None:
        """Nothing to let go."""

    async def put(self, entry: Entry) -> str | None:
        """Keep an entry; the oldest are dropped until the caps hold. None if it alone is too large."""
        if entry.size_bytes > self._max_bytes:
            self.lost += 1
            return None
        id_ = new_id()
        self._entries[id_] = entry
        self._size_bytes += entry.size_bytes
        self._expire()
        while len(self._entries) > self._max_entries or self._size_bytes > self._max_bytes:
            self._drop_oldest()
        return id_

    async def get(self, id_: str) -> Entry:
        """The entry of an id.

        Raises:
            AttentionGone: it expired, made room, or never was.
        """
        self._expire()
        entry = self._entries.get(id_)
        if entry is None:
            raise AttentionGone
        return entry

    async def others(self, _id: str, entry: Entry, compute: Compute) -> Mapping[str, Map]:
        """The discriminators' maps, kept with their entry."""
        return await entry.others.get(compute)

    def _expire(self) -> None:
        # All entries live equally long, so the oldest are the first to go.
        now = self._clock()
        while self._entries and next(iter(self._entries.values())).expires_at <= now:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, entry = self._entries.popitem(last=False)
        self._size_bytes -= entry.size_bytes


def new_id() -> str:
    """128 random bits as 22 base64url characters."""
    return secrets.token_urlsafe(16)


def probability_of_source(cam_logit: NDArray[Any]) -> float:
    """The mean of the two classifiers' sigmoids, from logits `[2]`."""
    return float(np.mean(1 / (1 + np.exp(-cam_logit.astype(np.float64)))))
