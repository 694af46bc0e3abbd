"""Permits, deadlines, those who leave, and the end: nothing is lost and nobody waits in vain."""

from __future__ import annotations

import asyncio

import pytest

from app.engine.engine import Engine
from app.engine.errors import DeadlineExceeded, DirectionDefunct, Draining, QueueFull
from app.engine.fake import FakeModel
from models.images.errors import PictureError
from tests.engine.conftest import MakeEngine, entered, until
from tests.photos import photo

pytestmark = pytest.mark.anyio


def held(engine: Engine) -> int:
    return engine.registry["cat2dog"].admission.held


def waiting(engine: Engine) -> int:
    return engine.registry["cat2dog"].depth


def translating(engine: Engine, seed: int = 1) -> asyncio.Task[object]:
    return asyncio.create_task(engine.translate("cat2dog", photo(seed=seed)))


async def test_the_queue_takes_exactly_its_size_and_tells_the_next_when_to_come_back(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=3)
    model.hold()
    tasks = [translating(engine) for _ in range(3)]
    await until(lambda: held(engine) == 3)
    with pytest.raises(QueueFull) as refused:
        await engine.translate("cat2dog", photo())
    assert refused.value.retry_after_seconds >= 1
    model.release()
    await asyncio.gather(*tasks)
    await engine.translate("cat2dog", photo())
    assert held(engine) == 0


async def test_retry_after_grows_with_the_queue_and_the_measured_run_time(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=4)
    admission = engine.registry["cat2dog"].admission
    admission.measured(6.0, 2)
    model.hold()
    tasks = [translating(engine) for _ in range(4)]
    await until(lambda: held(engine) == 4)
    assert admission.retry_after_seconds == 12
    model.release()
    await asyncio.gather(*tasks)


async def test_a_picture_that_cannot_be_read_gives_its_permit_back(make_engine: MakeEngine) -> None:
    engine = await make_engine()
    with pytest.raises(PictureError):
        await engine.translate("cat2dog", b"no picture")
    assert held(engine) == 0


async def test_a_run_beyond_the_deadline_is_terminated_and_the_next_picture_served(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(deadline_seconds=0.05)
    model.hold()
    with pytest.raises(DeadlineExceeded):
        await engine.translate("cat2dog", photo())
    assert held(engine) == 0
    model.release()
    await engine.translate("cat2dog", photo())
    assert model.batches == [1, 1]


async def test_waiting_beyond_the_deadline_never_reaches_the_model(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(deadline_seconds=0.2)
    model.deaf = True
    model.hold()
    tasks = [translating(engine) for _ in range(3)]
    for task in tasks:
        with pytest.raises(DeadlineExceeded):
            await task
    assert held(engine) == 0
    assert model.batches == [1]


async def test_who_leaves_the_queue_is_forgotten_and_the_others_are_served(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.hold()
    first = translating(engine)
    await entered(model)
    leaving, staying = translating(engine), translating(engine)
    await until(lambda: waiting(engine) == 2)
    leaving.cancel()
    await until(lambda: waiting(engine) == 1)
    assert held(engine) == 2
    model.release()
    await asyncio.gather(first, staying)
    assert model.batches == [1, 1]
    assert held(engine) == 0


async def test_who_leaves_during_the_run_ends_it(make_engine: MakeEngine, model: FakeModel) -> None:
    engine = await make_engine()
    model.hold()
    task = translating(engine)
    await entered(model)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert held(engine) == 0
    model.release()
    await engine.translate("cat2dog", photo())


async def test_one_of_a_batch_who_leaves_does_not_end_the_run_of_the_others(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(shapes=[1, 2], batch_wait_ms=1000)
    model.hold()
    leaving, staying = translating(engine, 1), translating(engine, 2)
    await entered(model)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    model.release()
    await staying
    assert model.batches == [2]


async def test_waiting_pictures_share_a_run_padded_to_a_warm_shape(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(shapes=[1, 2, 4], batch_wait_ms=0)
    model.hold()
    first = translating(engine)
    await entered(model)
    others = [translating(engine, seed) for seed in range(3)]
    await until(lambda: waiting(engine) == 3)
    model.release()
    await asyncio.gather(first, *others)
    assert model.batches == [1, 4]


async def test_a_failed_run_is_tried_again_on_a_model_opened_anew(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.failures = 1
    await engine.translate("cat2dog", photo())
    assert model.opened == 2
    model.failures = 1
    await engine.translate("cat2dog", photo())


async def test_a_model_that_fails_twice_makes_its_direction_defunct(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.failures = 9
    with pytest.raises(DirectionDefunct):
        await engine.translate("cat2dog", photo())
    direction = engine.registry["cat2dog"]
    assert direction.state == "defunct"
    assert direction.reason is not None
    assert "no memory left" in direction.reason
    assert held(engine) == 0
    with pytest.raises(DirectionDefunct):
        await engine.translate("cat2dog", photo())


async def test_a_run_that_cannot_be_terminated_costs_its_thread_not_the_service(
    make_engine: MakeEngine, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.runner.TERMINATE_SECONDS", 0.01)
    engine = await make_engine(deadline_seconds=0.3)
    model.deaf = True
    model.hold()
    with pytest.raises(DeadlineExceeded):
        await engine.translate("cat2dog", photo())
    model.abandon()
    await engine.translate("cat2dog", photo())


async def test_draining_finishes_what_was_admitted_and_admits_nothing_more(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.hold()
    tasks = [translating(engine, seed) for seed in range(3)]
    await until(lambda: held(engine) == 3)
    engine.drain()
    with pytest.raises(Draining):
        await engine.translate("cat2dog", photo())
    assert engine.why_not_ready() is not None
    drained = asyncio.create_task(engine.drained())
    await asyncio.sleep(0)
    assert not drained.done()
    model.release()
    await drained
    await asyncio.gather(*tasks)


async def test_discriminators_run_once_however_many_ask_and_take_a_permit(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=1)
    translation = await engine.translate("cat2dog", photo())
    model.batches.clear()
    model.hold()
    asking = [
        asyncio.create_task(engine.attention(translation.id, network))
        for network in ("local", "global", "local")
    ]
    await until(lambda: held(engine) == 1)
    with pytest.raises(QueueFull):
        await engine.translate("cat2dog", photo())
    model.release()
    await asyncio.gather(*asking)
    assert model.batches == [1]
    await engine.attention(translation.id, "global")
    assert model.batches == [1]


async def test_if_the_first_to_ask_leaves_the_next_computes_the_maps(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    translation = await engine.translate("cat2dog", photo())
    await entered(model)
    model.hold()
    first = asyncio.create_task(engine.attention(translation.id, "local"))
    await entered(model)
    second = asyncio.create_task(engine.attention(translation.id, "local"))
    await asyncio.sleep(0)
    first.cancel()
    await entered(model)
    model.release()
    await second
    assert held(engine) == 0
