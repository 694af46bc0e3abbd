"""Entries in a real Redis server: shared, deleted when they expire, and optional."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import numpy as np
import pytest

from app.engine.errors import AttentionGone, StoreUnavailable
from app.engine.store.entry import AttentionMap, Entry
from app.engine.store.redis_store import RedisStore
from tests.engine.entries import entry, same, scene_entry
from tests.redis_server import PASSWORD, QUOTED, RedisServer, running_redis

pytestmark = pytest.mark.anyio

MAPS = {"attention_local": np.float32([[1, 2]]), "attention_global": np.float32([[3]])}


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A server that the test stops and starts."""
    with running_redis() as server:
        yield server


@asynccontextmanager
async def opened(redis: RedisServer, **options: object) -> AsyncIterator[RedisStore]:
    chosen = {"timeout_seconds": 10.0, "max_entry_bytes": 100_000} | options
    store = RedisStore(redis.url, **chosen)  # type: ignore[arg-type]
    try:
        yield store
    finally:
        await store.close()


async def put(store: RedisStore, kept: Entry | None = None) -> str:
    id_ = await store.put(kept or entry())
    assert id_ is not None
    return id_


async def test_a_photo_of_several_faces_is_kept_with_the_maps_of_each(shared_redis: RedisServer) -> None:
    kept, computed = scene_entry(crops=2), []

    async def compute() -> Mapping[str, AttentionMap]:
        computed.append(1)
        names = ("attention_local", "attention_global", "attention_local.1", "attention_global.1")
        return {name: np.float32([[number]]) for number, name in enumerate(names)}

    async with opened(shared_redis) as one, opened(shared_redis) as other:
        id_ = await put(one, kept)
        assert same(await other.get(id_), kept)
        first = await one.discriminator_maps(id_, kept, compute)
        again = await other.discriminator_maps(id_, kept, compute)
    assert {name: values.tolist() for name, values in first.items()} == {
        name: values.tolist() for name, values in again.items()
    }
    assert computed == [1]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():  # noqa: ASYNC110  # Redis has no event to wait for
            await asyncio.sleep(0.01)


async def must_not_compute() -> Mapping[str, AttentionMap]:
    raise AssertionError("the maps were in Redis")


async def test_an_entry_of_one_process_is_found_by_another(shared_redis: RedisServer) -> None:
    async with opened(shared_redis) as one, opened(shared_redis) as other:
        kept = entry()
        id_ = await put(one, kept)
        assert await other.holds(id_)
        assert same(await other.get(id_), kept)


async def test_redis_deletes_an_entry_and_its_maps_when_they_expire(
    shared_redis: RedisServer,
) -> None:
    async def forgotten() -> bool:
        return shared_redis.ask(f"EXISTS ugatit:1:{id_}") == b":0\r\n"

    async with opened(shared_redis) as store:
        kept = entry(seconds=2)
        id_ = await put(store, kept)
        await store.discriminator_maps(id_, kept, lambda: asyncio.sleep(0, MAPS))
        for name in (id_, f"{id_}:others"):
            assert 0 < int(shared_redis.ask(f"PTTL ugatit:1:{name}")[1:]) <= 2000
        await until(forgotten)
        assert not await store.holds(id_)
        with pytest.raises(AttentionGone):
            await store.get(id_)
        assert await store.put(entry(seconds=0)) is None


async def test_the_discriminator_maps_are_shared_through_redis(shared_redis: RedisServer) -> None:
    async with opened(shared_redis) as one, opened(shared_redis) as other:
        id_ = await put(one)
        await one.discriminator_maps(id_, await one.get(id_), lambda: asyncio.sleep(0, MAPS))
        found = await other.discriminator_maps(id_, await other.get(id_), must_not_compute)
        assert {name: found[name].tolist() for name in found} == {
            "attention_local": [[1, 2]],
            "attention_global": [[3]],
        }


async def test_many_requests_at_once_compute_the_maps_once(shared_redis: RedisServer) -> None:
    computed = 0

    async def compute() -> Mapping[str, AttentionMap]:
        nonlocal computed
        computed += 1
        await asyncio.sleep(0)
        return MAPS

    async with opened(shared_redis) as store:
        id_ = await put(store)
        entries = await asyncio.gather(*(store.get(id_) for _ in range(20)))
        await asyncio.gather(*(store.discriminator_maps(id_, each, compute) for each in entries))
    assert computed == 1


async def test_the_store_recovers_after_redis_was_down(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def keeps() -> bool:
        return await store.put(entry()) is not None

    async with opened(own_redis) as store:
        await store.open()
        id_ = await put(store)
        own_redis.stop()
        assert await store.put(entry()) is None
        for _ in range(3):
            with pytest.raises(StoreUnavailable, match="try again"):
                await store.get(id_)
        assert (store.available, store.lost) == (False, 1)
        own_redis.start()
        await until(keeps)
        assert store.available
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1


async def test_maps_are_computed_while_redis_is_down(own_redis: RedisServer) -> None:
    async with opened(own_redis) as store:
        id_ = await put(store)
        kept = await store.get(id_)
        own_redis.stop()
        assert await store.discriminator_maps(id_, kept, lambda: asyncio.sleep(0, MAPS)) == MAPS
        assert not await store.holds(id_)


async def test_a_hanging_redis_delays_no_request(own_redis: RedisServer) -> None:
    async with opened(own_redis) as patient, opened(own_redis, timeout_seconds=0.2) as store:
        id_ = await put(patient)
        own_redis.send(signal.SIGSTOP)
        started = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await store.get(id_)
        for _ in range(50):
            assert await store.put(entry()) is None  # fails at once: the pause after a failure has begun
        assert time.monotonic() - started < 10
        own_redis.send(signal.SIGCONT)


async def test_pings_detect_that_redis_stops_and_returns(own_redis: RedisServer) -> None:
    async def down() -> bool:
        return not store.available

    async def up() -> bool:
        return store.available

    async with opened(own_redis, ping_seconds=0.01) as store:
        await store.open()
        own_redis.stop()
        await until(down)
        own_redis.start()
        await until(up)


async def test_a_full_redis_rejects_entries_but_still_returns_them(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(own_redis) as store:
        id_ = await put(store)
        own_redis.ask("CONFIG SET maxmemory 1")
        for _ in range(3):
            assert await store.put(entry()) is None
            await store.get(id_)
        assert store.available
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "The store of heat maps does not work: OutOfMemoryError"
    ]


async def test_an_entry_above_the_limit_is_not_sent(shared_redis: RedisServer) -> None:
    before = shared_redis.ask("DBSIZE")
    async with opened(shared_redis, max_entry_bytes=1024) as store:
        assert await store.put(entry(side=64)) is None
        assert store.lost == 1
    assert shared_redis.ask("DBSIZE") == before


@pytest.mark.parametrize(
    "id_", ["", "x", "A" * 22, "A" * 21 + "*", "A" * 22 + "\n", "../" * 8, "A" * 9999, "é" * 22]
)
async def test_any_other_string_is_treated_like_an_expired_id(shared_redis: RedisServer, id_: str) -> None:
    async with opened(shared_redis) as store:
        with pytest.raises(AttentionGone):
            await store.get(id_)


async def test_foreign_bytes_in_redis_are_ignored(shared_redis: RedisServer) -> None:
    shared_redis.ask(f"SET ugatit:1:{'B' * 22} junk")
    shared_redis.ask(f"SET ugatit:1:{'B' * 22}:others junk")
    async with opened(shared_redis) as store:
        with pytest.raises(AttentionGone):
            await store.get("B" * 22)
        assert await store.discriminator_maps("B" * 22, entry(), lambda: asyncio.sleep(0, MAPS)) == MAPS


async def test_a_cancelled_call_leaves_no_answer_on_its_connection(
    shared_redis: RedisServer,
) -> None:
    async with opened(shared_redis) as store:
        kept = {await put(store, each): each for each in (entry(side=side) for side in range(8, 40))}
        for yields in range(60):  # cancels each call at a different point
            leaving = [asyncio.ensure_future(store.get(id_)) for id_ in kept]
            for _ in range(yields):
                await asyncio.sleep(0)
            for each in leaving[::2]:
                each.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)
            id_ = list(kept)[yields % len(kept)]
            assert same(await store.get(id_), kept[id_])
        for id_, each in kept.items():
            assert same(await store.get(id_), each)


async def test_connections_are_bounded(shared_redis: RedisServer) -> None:
    async with opened(shared_redis) as store:
        id_ = await put(store)
        await asyncio.gather(*(store.get(id_) for _ in range(200)))
        clients = int(shared_redis.ask("INFO clients").partition(b"connected_clients:")[2].split()[0])
    assert clients <= 16 + 3  # and the connections of this module


async def test_no_log_line_contains_the_password(
    own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    own_redis.ask("CONFIG SET requirepass other")
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(opened(own_redis))
        assert await store.put(entry()) is None
        own_redis.stop()
        store = await stack.enter_async_context(opened(own_redis))
        assert await store.put(entry()) is None
    assert caplog.text.count("does not work") == 2
    assert PASSWORD not in caplog.text
    assert QUOTED not in caplog.text
