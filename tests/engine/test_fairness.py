"""Clients share a direction: alone one has all of it, together each has the same, and nobody starves."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections import Counter
from typing import Any

import pytest

from app.engine.engine import Engine
from app.engine.errors import EngineError, FairShare, QueueFull
from app.engine.scheduling.admission import Admission
from app.engine.scheduling.fair_queue import FairQueue
from models.images.frame import Frame
from tests.engine.conftest import MakeEngine, entered, until
from tests.fake_engine import FakeModel
from tests.photos import photo

pytestmark = pytest.mark.anyio


def admission_of(engine: Engine) -> Admission:
    return engine.registry["cat2dog"].admission


def asking(engine: Engine, client: str) -> asyncio.Task[object]:
    return asyncio.create_task(engine.translate("cat2dog", photo(), client=client), name=client)


async def crowd(engine: Engine, model: FakeModel, client: str, pictures: int) -> list[asyncio.Task[object]]:
    """That many pictures of one client: the first in a run that is held, the others waiting for theirs."""
    model.hold()
    before = admission_of(engine).held
    tasks = [asking(engine, client)]
    await entered(model)
    tasks += [asking(engine, client) for _ in range(pictures - 1)]
    await until(lambda: admission_of(engine).held == before + pictures)
    await until(lambda: engine.registry["cat2dog"].queued == before + pictures - 1)
    return tasks


async def outcomes(tasks: list[asyncio.Task[object]]) -> Counter[str]:
    """How many were served, and how the others were refused."""
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


async def test_a_newcomer_gets_the_place_of_a_crowds_newest_waiting_picture(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=4)
    tasks = await crowd(engine, model, "crowd", 4)
    newcomer = asking(engine, "newcomer")
    with pytest.raises(FairShare) as refused:
        await tasks[-1]
    assert refused.value.retry_after_seconds >= 1
    assert admission_of(engine).held == 4
    model.release()
    assert await outcomes([*tasks[:-1], newcomer]) == {"served": 4}
    assert admission_of(engine).held == 0


async def test_a_newcomer_can_take_no_more_than_its_share(make_engine: MakeEngine, model: FakeModel) -> None:
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


async def test_a_picture_in_a_run_is_not_given_up_for_anybody(
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


async def test_who_is_cancelled_while_being_displaced_stays_cancelled(
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


async def test_clients_are_served_by_queue_and_each_in_its_own_order(
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


async def test_nobody_starves_behind_a_client_who_never_stops_asking(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=4)
    stop = asyncio.Event()

    async def greedy() -> None:
        while not stop.is_set():
            try:
                await engine.translate("cat2dog", photo(), client="greedy")
            except (QueueFull, FairShare):
                await asyncio.sleep(0.001)  # or it would leave no time to those who work for it

    hungry = [asyncio.create_task(greedy()) for _ in range(8)]
    await until(lambda: admission_of(engine).held == 4)
    for _ in range(10):  # not one of them is refused, however full it is
        await engine.translate("cat2dog", photo(), client="modest")
    stop.set()
    await asyncio.gather(*hungry)
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


async def test_a_picture_that_leaves_before_it_is_decoded_leaves_no_bytes_behind(
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


def test_queue_forget_who_left_and_go_on_with_the_others() -> None:
    queue: FairQueue[str] = FairQueue()
    for item in ("a1", "a2", "b1", "c1"):
        queue.add(item[0], item)
    queue.discard("b", "b1")
    queue.discard("b", "b1")
    assert sorted(queue) == ["a1", "a2", "c1"]
    assert [queue.pop() for _ in range(len(queue))] == ["a1", "c1", "a2"]
    assert len(queue) == 0
