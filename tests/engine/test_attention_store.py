"""How long translations are kept, how many, and under which ids."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.engine.attention import Entry, MemoryStore
from app.engine.errors import AttentionGone
from models.images.frame import Box, Frame


class Clock:
    """Time that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def entry(expires_at: float = 1600.0) -> Entry:
    pixels = np.zeros((8, 8, 3), np.uint8)
    frame = Frame(pixels, Box(0, 0, 8, 8))
    return Entry(
        direction="cat2dog",
        version="0" * 12,
        source=frame,
        translation=pixels,
        generator=None,
        expires_at=expires_at,
    )


def kept(store: MemoryStore, id_: str) -> bool:
    try:
        store.get(id_)
    except AttentionGone:
        return False
    return True


def test_ids_are_22_base64url_characters_and_never_the_same() -> None:
    store = MemoryStore(max_entries=1000, max_bytes=10**9, clock=Clock())
    ids = {store.put(entry()) for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", id_) for id_ in ids)


def test_an_entry_lives_until_it_expires_and_not_a_moment_longer() -> None:
    clock = Clock()
    store = MemoryStore(max_entries=10, max_bytes=10**9, clock=clock)
    id_ = store.put(entry(expires_at=1600.0))
    clock.now = 1599.999
    assert kept(store, id_)
    clock.now = 1600.0
    assert not kept(store, id_)
    assert (len(store), store.size_bytes) == (0, 0)


def test_the_oldest_make_room_when_there_are_too_many() -> None:
    store = MemoryStore(max_entries=2, max_bytes=10**9, clock=Clock())
    ids = [store.put(entry()) for _ in range(3)]
    assert [kept(store, id_) for id_ in ids] == [False, True, True]


def test_the_oldest_make_room_when_they_take_too_many_bytes() -> None:
    size = entry().size_bytes
    for max_bytes, expected in ((3 * size - 1, [False, True, True]), (3 * size, [True, True, True])):
        store = MemoryStore(max_entries=10, max_bytes=max_bytes, clock=Clock())
        ids = [store.put(entry()) for _ in range(3)]
        assert [kept(store, id_) for id_ in ids] == expected
        assert store.size_bytes <= max_bytes


def test_an_entry_larger_than_the_whole_store_is_not_kept() -> None:
    store = MemoryStore(max_entries=10, max_bytes=10, clock=Clock())
    with pytest.raises(AttentionGone):
        store.get(store.put(entry()))
    assert store.size_bytes == 0
