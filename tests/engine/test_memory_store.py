"""How long the memory store keeps entries, how many, and under which ids."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from app.engine.errors import AttentionGone
from app.engine.store.entry import Crop, Entry
from app.engine.store.memory_store import MemoryStore
from models.images.frame import Box, Frame

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that the test sets."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def entry(expires_at: float = 1600.0) -> Entry:
    pixels = np.zeros((8, 8, 3), np.uint8)
    frame = Frame(pixels, Box(0, 0, 8, 8))
    return Entry(
        direction="cat2dog",
        version="0" * 12,
        crops=[Crop(frame, pixels, {})],
        declared=[],
        expires_at=expires_at,
    )


async def put(store: MemoryStore) -> str:
    id_ = await store.put(entry())
    assert id_ is not None
    return id_


async def kept(store: MemoryStore, id_: str) -> bool:
    try:
        await store.get(id_)
    except AttentionGone:
        return False
    return True


async def test_ids_are_22_base64url_characters_and_unique() -> None:
    store = MemoryStore(max_entries=1000, max_bytes=10**9, clock=Clock())
    ids = {await put(store) for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", id_) for id_ in ids)


async def test_an_entry_is_kept_until_it_expires() -> None:
    clock = Clock()
    store = MemoryStore(max_entries=10, max_bytes=10**9, clock=clock)
    id_ = await put(store)
    clock.now = 1599.999
    assert await kept(store, id_)
    clock.now = 1600.0
    assert not await kept(store, id_)
    assert store.usage == (0, 0)


async def test_the_oldest_entries_are_dropped_above_the_maximum_number() -> None:
    store = MemoryStore(max_entries=2, max_bytes=10**9, clock=Clock())
    ids = [await put(store) for _ in range(3)]
    assert [await kept(store, id_) for id_ in ids] == [False, True, True]


async def test_the_oldest_entries_are_dropped_above_the_maximum_size() -> None:
    size = entry().size_bytes
    for max_bytes, expected in ((3 * size - 1, [False, True, True]), (3 * size, [True, True, True])):
        store = MemoryStore(max_entries=10, max_bytes=max_bytes, clock=Clock())
        ids = [await put(store) for _ in range(3)]
        assert [await kept(store, id_) for id_ in ids] == expected
        assert store.usage.size_bytes <= max_bytes


async def test_an_entry_larger_than_the_whole_store_gets_no_id_and_drops_no_other() -> None:
    size = entry().size_bytes
    store = MemoryStore(max_entries=10, max_bytes=size, clock=Clock())
    id_ = await put(store)
    small = entry()
    crops = [small.crops[0]._replace(translation=np.zeros((64, 64, 3), np.uint8))]
    large = replace(small, crops=crops)
    assert await store.put(large) is None
    assert await kept(store, id_)
    assert store.lost == 1
