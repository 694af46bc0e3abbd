"""Permits, deadlines, cancelled requests and shutdown: no permit is lost and no request waits forever."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.engine.errors import DeadlineExceeded, DirectionDefunct, Draining, NetworkDefunct, QueueFull
from app.engine.local_engine import LocalEngine
from models.images.errors import PictureError
from tests.engine.conftest import MakeEngine, entered, until
from tests.fake_engine import FakeModel
from tests.photos import photo

pytestmark = pytest.mark.anyio


def held(engine: LocalEngine) -> int:
    return engine.registry["cat2dog"].admission.held


def waiting(engine: LocalEngine) -> int:
    return engine.registry["cat2dog"].queued


def translating(engine: LocalEngine, seed: int = 1) -> asyncio.Task[object]:
    return asyncio.create_task(engine.translate("cat2dog", photo(seed=seed)))


async def test_a_full_queue_rejects_the_next_picture_with_a_retry_time(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=3)
    model.hold()
    tasks = [translating(engine) for _ in range(3)]
    await until(lambda: held(engine) == 3)
    with pytest.raises(QueueFull) as caught:
        await engine.translate("cat2dog", photo())
    assert caught.value.retry_after_seconds >= 1
    model.release()
    await asyncio.gather(*tasks)
    await engine.translate("cat2dog", photo())
    assert held(engine) == 0


async def test_retry_after_grows_with_the_queue_and_the_measured_run_time(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(queue_size=4)
    admission = engine.registry["cat2dog"].admission
    admission.record_run(6.0, 2)
    model.hold()
    tasks = [translating(engine) for _ in range(4)]
    await until(lambda: held(engine) == 4)
    assert admission.retry_after_seconds == 12
    model.release()
    await asyncio.gather(*tasks)


async def test_an_unreadable_picture_releases_its_permit(make_engine: MakeEngine) -> None:
    engine = await make_engine()
    with pytest.raises(PictureError):
        await engine.translate("cat2dog", b"no picture")
    assert held(engine) == 0


async def test_a_run_beyond_the_deadline_is_terminated_and_the_next_picture_translated(
    make_engine: MakeEngine, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.scheduling.runner._TERMINATE_AGAIN_SECONDS", 60)
    engine = await make_engine(deadline_seconds=1)
    model.hold()
    with pytest.raises(DeadlineExceeded):
        await engine.translate("cat2dog", photo())
    assert held(engine) == 0
    await engine.translate("cat2dog", photo())
    assert model.batches == [1, 1]
    assert model.terminations == 1


async def test_waiting_beyond_the_deadline_never_reaches_the_model(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(deadline_seconds=1)
    model.ignores_terminate = True
    model.hold()
    tasks = [translating(engine) for _ in range(3)]
    for task in tasks:
        with pytest.raises(DeadlineExceeded):
            await task
    assert held(engine) == 0
    assert model.batches == [1]


async def test_a_cancelled_picture_leaves_the_queue(make_engine: MakeEngine, model: FakeModel) -> None:
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


async def test_a_run_without_callers_is_terminated(make_engine: MakeEngine, model: FakeModel) -> None:
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


async def test_one_cancelled_picture_does_not_end_the_run_of_its_batch(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(batch_sizes=[1, 2], batch_wait_ms=1000)
    model.hold()
    leaving, staying = translating(engine, 1), translating(engine, 2)
    await entered(model)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    await asyncio.to_thread(model.entered.acquire, timeout=0.05)  # time enough for a mistaken termination
    model.release()
    await staying
    assert model.batches == [2]
    assert model.terminations == 0


async def test_waiting_pictures_share_a_run_padded_to_a_warm_shape(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(batch_sizes=[1, 2, 4], batch_wait_ms=0)
    model.hold()
    first = translating(engine)
    await entered(model)
    others = [translating(engine, seed) for seed in range(3)]
    await until(lambda: waiting(engine) == 3)
    model.release()
    await asyncio.gather(first, *others)
    assert model.batches == [1, 4]


async def test_a_failed_run_is_repeated_on_a_reopened_model(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.failures = 1
    await engine.translate("cat2dog", photo())
    assert model.opened == 2


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


async def test_a_run_that_cannot_be_terminated_is_abandoned_with_its_thread(
    make_engine: MakeEngine, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.scheduling.runner.TERMINATE_SECONDS", 0.01)
    engine = await make_engine(deadline_seconds=1)
    model.hangs = 1
    with pytest.raises(DeadlineExceeded):
        await engine.translate("cat2dog", photo())
    await engine.translate("cat2dog", photo())


async def test_draining_finishes_admitted_requests_and_admits_no_more(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.hold()
    tasks = [translating(engine, seed) for seed in range(3)]
    await until(lambda: held(engine) == 3)
    engine.drain()
    with pytest.raises(Draining):
        await engine.translate("cat2dog", photo())
    assert engine.not_ready_reason() is not None
    drained = asyncio.create_task(engine.wait_until_drained())
    await asyncio.sleep(0)
    assert not drained.done()
    model.release()
    await drained
    await asyncio.gather(*tasks)


async def test_discriminators_run_once_for_many_requests_and_need_a_permit(
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
    assert model.batches == [1, 1]  # their check, then the picture
    await engine.attention(translation.id, "global")
    assert model.batches == [1, 1]


async def test_if_the_computing_request_is_cancelled_the_next_computes_the_maps(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    earlier, translation = [await engine.translate("cat2dog", photo()) for _ in range(2)]
    await engine.attention(earlier.id, "local")  # the discriminators are open
    while model.entered.acquire(blocking=False):
        pass
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


async def test_the_deadline_includes_the_wait_for_another_request(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(deadline_seconds=1)
    translation = await engine.translate("cat2dog", photo())
    model.ignores_terminate = True
    model.hold()
    asking = [asyncio.create_task(engine.attention(translation.id, "local")) for _ in range(4)]
    async with asyncio.timeout(2):  # in sequence they would take 4 s
        for task in asking:
            with pytest.raises(DeadlineExceeded):
                await task
    assert held(engine) == 0


async def test_a_termination_that_has_no_effect_is_repeated(
    make_engine: MakeEngine, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await make_engine(deadline_seconds=1)
    calls = 0

    def ignored_at_first() -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            FakeModel.terminate(model)

    monkeypatch.setattr(model, "terminate", ignored_at_first)
    model.hold()
    with pytest.raises(DeadlineExceeded):
        await engine.translate("cat2dog", photo())
    await engine.translate("cat2dog", photo())
    assert model.opened == 1


async def test_a_picture_cancelled_while_the_model_is_opened_is_not_run(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    translation = await engine.translate("cat2dog", photo())
    model.batches.clear()
    model.opening_hangs = 1
    task = asyncio.create_task(engine.attention(translation.id, "local"))
    await until(lambda: held(engine) == 1)
    task.cancel()
    await until(lambda: held(engine) == 0)
    model.stop_hanging()
    await until(lambda: model.batches == [1])  # the check of the opened model
    await engine.translate("cat2dog", photo())
    assert model.batches == [1, 1]
    assert model.terminations == 0


async def test_a_model_that_hangs_twice_makes_its_direction_defunct(
    make_engine: MakeEngine, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.scheduling.runner.TERMINATE_SECONDS", 0.01)
    engine = await make_engine(deadline_seconds=1)
    for _ in range(2):
        await engine.translate("cat2dog", photo())
        model.hangs = 1
        with pytest.raises(DeadlineExceeded):
            await engine.translate("cat2dog", photo())
    direction = engine.registry["cat2dog"]
    await until(lambda: direction.state == "defunct")
    assert "could not be stopped, after it had been replaced" in str(direction.reason)
    assert held(engine) == 0
    with pytest.raises(DirectionDefunct):
        await engine.translate("cat2dog", photo())


async def test_broken_discriminators_do_not_stop_translations(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    translation = await engine.translate("cat2dog", photo())
    model.failures = 2
    for _ in range(2):
        with pytest.raises(NetworkDefunct):
            await engine.attention(translation.id, "local")
    await engine.attention(translation.id, "generator")
    await engine.translate("cat2dog", photo())
    direction = engine.registry["cat2dog"]
    assert direction.state == "degraded"
    assert not direction.status().discriminators
    assert "no memory left" in str(direction.reason)


async def test_discriminators_are_verified_again_when_they_are_opened(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = await make_engine()
    translation = await engine.translate("cat2dog", photo())
    (tmp_path / "bundles" / "cat2dog" / "discriminators.onnx").write_bytes(b"another")
    with pytest.raises(NetworkDefunct):
        await engine.attention(translation.id, "global")
    assert "discriminators.onnx" in str(engine.registry["cat2dog"].reason)
