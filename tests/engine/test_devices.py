"""Several devices, each with a copy of the model: an idle device takes the next batch."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.errors import DirectionDefunct
from app.engine.local_engine import LocalEngine
from app.settings.settings import Settings
from tests.engine.conftest import entered, until
from tests.fake_engine import FakeModel, write_fake_bundle
from tests.photos import photo

pytestmark = pytest.mark.anyio


@pytest.fixture
def devices() -> Iterator[list[FakeModel]]:
    models = [FakeModel(), FakeModel()]
    yield models
    for model in models:
        model.stop_hanging()


@pytest.fixture
async def engine(devices: list[FakeModel], tmp_path: Path) -> LocalEngine:
    write_fake_bundle(tmp_path / "bundles")
    settings = Settings(bundles_dir=tmp_path / "bundles")
    engine = LocalEngine(settings, [model.open for model in devices], batch_sizes=[1])
    engine.start()
    await engine.wait_until_loaded()
    for model in devices:
        assert model.opened == 1
        model.batches.clear()
        while model.entered.acquire(blocking=False):
            pass
    return engine


async def ask(engine: LocalEngine, pictures: int) -> None:
    await asyncio.gather(*(engine.translate("cat2dog", photo()) for _ in range(pictures)))


async def test_two_pictures_run_at_once_on_two_devices(engine: LocalEngine, devices: list[FakeModel]) -> None:
    for model in devices:
        model.hold()
    asking = asyncio.create_task(ask(engine, 2))
    for model in devices:
        await entered(model)
    for model in devices:
        model.release()
    await asking
    assert [model.batches for model in devices] == [[1], [1]]
    engine.close()


async def test_an_idle_device_takes_the_pictures_while_the_other_is_busy(
    engine: LocalEngine, devices: list[FakeModel]
) -> None:
    busy, free = devices
    busy.hold()
    asking = asyncio.create_task(ask(engine, 1))
    await entered(busy)
    await ask(engine, 3)
    assert (busy.batches, free.batches) == ([1], [1, 1, 1])
    busy.release()
    await asking
    engine.close()


async def test_pictures_of_a_broken_device_run_on_the_other(
    engine: LocalEngine, devices: list[FakeModel], caplog: pytest.LogCaptureFixture
) -> None:
    broken, other = devices
    broken.failures = 2  # the run, and its repetition on the reopened model
    await ask(engine, 4)
    assert sum(other.batches) == 4
    assert "1 of 2 devices still work" in caplog.text
    direction = engine.registry["cat2dog"]
    assert direction.state == "degraded"
    assert direction.reason is not None
    assert "works on 1 of 2 devices" in direction.reason
    engine.close()


async def test_without_a_working_device_the_direction_is_defunct(
    engine: LocalEngine, devices: list[FakeModel]
) -> None:
    for model in devices:
        model.failures = 10**6
    with pytest.raises(DirectionDefunct):
        await ask(engine, 1)
    assert engine.registry["cat2dog"].state == "defunct"
    engine.close()


async def test_a_broken_device_is_opened_again_by_a_reload(
    engine: LocalEngine, devices: list[FakeModel]
) -> None:
    broken, _ = devices
    broken.failures = 2
    await ask(engine, 4)
    direction = engine.registry["cat2dog"]
    assert direction.state == "degraded"
    assert direction.execution is not None, "the other device still works"
    opened = broken.opened
    await engine.registry.reload(retry=True)
    assert (direction.state, direction.reason) == ("ready", None)
    assert broken.opened == opened + 1
    engine.close()


async def test_closing_cancels_the_requests_in_a_run(engine: LocalEngine, devices: list[FakeModel]) -> None:
    for model in devices:
        model.hold()
    asking = asyncio.create_task(ask(engine, 2))
    for model in devices:
        await entered(model)
    engine.close()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(10):
            await asking


async def test_a_replaced_device_does_not_hide_that_another_is_being_replaced(
    engine: LocalEngine, devices: list[FakeModel]
) -> None:
    replaced, slow = devices
    replaced.failures = slow.failures = slow.opening_hangs = 1
    for model in devices:
        model.hold()
    asking = asyncio.create_task(ask(engine, 2))
    for model in devices:
        await entered(model)
    for model in devices:
        model.release()
    await until(lambda: slow.opened == 2)
    await ask(engine, 1)
    assert engine.registry["cat2dog"].state == "degraded"
    slow.stop_hanging()
    await asking
    assert engine.registry["cat2dog"].state == "ready"
    engine.close()
