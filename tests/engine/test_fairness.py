"""Clients share a direction: one alone may use all of it, several share it evenly, and none starves."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections import Counter
from typing import Any

import pytest

from app.engine.errors import EngineError, FairShare, QueueFull
from app.engine.local_engine import LocalEngine
from app.engine.scheduling.admission import Admission
from app.engine.scheduling.fair_queue import FairQueue
from models.images.frame import Frame
from tests.engine.conftest import MakeEngine, entered, until
from tests.fake_engine import FakeModel
from tests.photos import photo

pytestmark = pytest.mark.anyio


def admission_of(engine: LocalEngine) -> Admission:
    return engine.registry["cat2dog"].admission


def asking(engine: LocalEngine, client: str) -> asyncio.Task[object]:
    return asyncio.create_task(engine.translate("cat2dog", photo(), client=client), name=client)


async def crowd(
    engine: LocalEngine, model: FakeModel, client: str, pictures: int
) -> list[asyncio.Task[object]]:
    """Submit pictures of one client: the first is in a held run, the others wait."""
    model.hold()
    before = admission_of(engine).held
    tasks = [asking(engine, client)]
    await entered(model)
    tasks += [asking(engine, client) for _ in range(pictures - 1)]
    await until(lambda: admission_of(engine).held == before + pictures)
    await until(lambda: engine.registry["cat2dog"].queued == before + pictures - 1)
    return tasks


async def outcomes(tasks: list[asyncio.Task[object]]) -> Counter[str]:
    """Count the translated pictures, and the others by their error."""
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    return Counter(
        type(answer).__name__ if isinstance(answer, EngineError) else "served" for answer in answers
    )


async def test_one_client_alone_may_hold_every_permit(make_engine: MakeEngine, model: FakeModel) -> None:
    engine = await make_engine(queue_size=4)
    tasks = await crowd(engine, model, "a", 4)
    with pytest.raises(QueueFull):
        await engine.translate("cat2dog", photo(), client="a")
    model.release()
    assert await outcomes(tasks) == {"served": 4}


async def test_a_new_client_gets_the_permit_of_the_newest_waiting_picture(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=4)
    tasks = await crowd(engine, model, "crowd", 4)
    newcomer = asking(engine, "newcomer")
    with pytest.raises(FairShare) as caught:
        await tasks[-1]
    assert caught.value.retry_after_seconds >= 1
    assert admission_of(engine).held == 4
    model.release()
    assert await outcomes([*tasks[:-1], newcomer]) == {"served": 4}
    assert admission_of(engine).held == 0


async def test_a_new_client_gets_no_more_than_its_fair_share(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=4)
    tasks = await crowd(engine, model, "crowd", 4)
    newcomers = [asking(engine, "newcomer") for _ in range(5)]
    for task in newcomers[2:]:
        with pytest.raises(FairShare):
            await task
    with pytest.raises(FairShare):
        admission_of(engine).check("crowd")
    model.release()
    assert await outcomes(tasks) == {"served": 2, "FairShare": 2}
    assert await outcomes(newcomers) == {"served": 2, "FairShare": 3}


async def test_the_permit_of_a_running_picture_is_not_revoked(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=2, batch_sizes=[1, 2], batch_wait_ms=1000)
    model.hold()
    running = [asking(engine, "crowd"), asking(engine, "crowd")]
    await entered(model)
    with pytest.raises(QueueFull):
        await engine.translate("cat2dog", photo(), client="newcomer")
    model.release()
    assert await outcomes(running) == {"served": 2}


async def test_a_task_that_is_cancelled_and_revoked_stays_cancelled(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=3)
    tasks = await crowd(engine, model, "crowd", 3)
    newcomer = asking(engine, "newcomer")
    tasks[-1].cancel()
    await until(lambda: tasks[-1].done())
    assert tasks[-1].cancelled()
    model.release()
    assert await outcomes([*tasks[:-1], newcomer]) == {"served": 3}
    assert admission_of(engine).held == 0


async def test_clients_are_served_in_turn_and_each_in_its_own_order(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=16)
    order: list[str] = []
    tasks = await crowd(engine, model, "a", 5)
    for waiting, client in enumerate("bbc", 5):
        tasks.append(asking(engine, client))
        await until(lambda waiting=waiting: engine.registry["cat2dog"].queued == waiting)
    for task in tasks:
        task.add_done_callback(lambda done: order.append(done.get_name()))
    model.release()
    await asyncio.gather(*tasks)
    assert "".join(order) == "aabcabaa"


async def test_a_client_that_sends_without_pause_starves_no_other(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=4)
    stop = asyncio.Event()

    async def greedy() -> None:
        while not stop.is_set():
            try:
                await engine.translate("cat2dog", photo(), client="greedy")
            except (QueueFull, FairShare):
                await asyncio.sleep(0.001)  # so that the other tasks can run

    clients = [asyncio.create_task(greedy()) for _ in range(8)]
    await until(lambda: admission_of(engine).held == 4)
    for _ in range(10):  # none is rejected, although the queue is full
        await engine.translate("cat2dog", photo(), client="modest")
    stop.set()
    await asyncio.gather(*clients)
    assert admission_of(engine).held == 0


async def test_the_number_of_pictures_decoded_at_once_is_bounded(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await make_engine(decoders=2)
    now, most, read = 0, 0, engine._read

    def counting(*arguments: object) -> object:
        nonlocal now, most
        now += 1
        most = max(most, now)
        try:
            return read(*arguments)
        finally:
            now -= 1

    monkeypatch.setattr(engine, "_read", counting)
    picture = photo(300, 300)
    await asyncio.gather(*(engine.translate("cat2dog", picture) for _ in range(12)))
    assert 1 <= most <= 2


async def test_a_picture_cancelled_before_decoding_releases_its_bytes(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await make_engine(decoders=1)
    go, read = threading.Event(), engine._read

    def slow(*arguments: Any) -> Frame:
        assert go.wait(60)
        return read(*arguments)

    monkeypatch.setattr(engine, "_read", slow)
    first = asyncio.create_task(engine.translate("cat2dog", photo()))
    await until(lambda: admission_of(engine).held == 1)
    picture = photo(300, 300)
    alone = sys.getrefcount(picture)
    leaving = asyncio.create_task(engine.translate("cat2dog", picture))
    await until(lambda: admission_of(engine).held == 2)
    assert sys.getrefcount(picture) > alone
    leaving.cancel()
    await asyncio.wait({leaving})
    del leaving
    gc.collect()
    assert sys.getrefcount(picture) == alone, "only the test holds it"
    go.set()
    await first


def test_a_client_that_arrives_waits_for_no_item_of_the_one_that_was_just_served() -> None:
    queue: FairQueue[str] = FairQueue()
    for frame in range(4):
        queue.add("animation", f"frame {frame}")
    assert queue.pop() == "frame 0"
    for client in ("one", "two", "three"):  # only the first goes before the animation
        queue.add(client, client)
    queue.add("animation", "frame 4")
    order = [queue.pop() for _ in range(len(queue))]
    assert order == ["one", "frame 1", "two", "three", "frame 2", "frame 3", "frame 4"]


def test_the_fair_queue_forgets_discarded_items() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "b1", "c1"):
        queue.add(item[0], item)
    queue.discard("b", "b1")
    queue.discard("b", "b1")
    assert sorted(queue) == ["a1", "a2", "c1"]
    assert [queue.pop() for _ in range(len(queue))] == ["a1", "c1", "a2"]
    assert len(queue) == 0
