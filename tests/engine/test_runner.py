"""A model in its own thread: replaced once when it fails or hangs, and cancelled without callers."""

from __future__ import annotations

import asyncio
import gc

import numpy as np
import pytest

from app.engine.runtime.session import Execution, Outputs, Pixels, StyleCodes
from app.engine.scheduling.runner import (
    MAX_TIMEOUTS_IN_A_ROW,
    REPLACE_AGAIN_SECONDS,
    ModelBroken,
    RunCancelled,
    Runner,
    TimeLimits,
)
from app.engine.scheduling.worker_thread import WorkerThread
from tests.engine.conftest import entered, until
from tests.fake_engine import FakeModel

pytestmark = pytest.mark.anyio

PIXELS = np.zeros((1, 32, 32, 3), np.uint8)


class Flaky:
    """A model that fails as often as `failures` says."""

    execution = Execution("FakeExecutionProvider", "float32")

    def __init__(self) -> None:
        self.failures = 0
        self.opened = 0

    def open(self) -> Flaky:
        self.opened += 1
        return self

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:  # noqa: ARG002
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no memory left")
        return {"image": pixels}

    def terminate(self) -> None:
        return


async def test_an_hour_without_a_failure_allows_another_replacement() -> None:
    model, wanted, now = Flaky(), asyncio.Event(), 0.0
    runner = Runner("flaky", model.open, clock=lambda: now)
    for _ in range(3):
        model.failures = 1
        await runner.run(PIXELS, wanted)
        now += REPLACE_AGAIN_SECONDS
    assert model.opened == 4
    now -= 1
    model.failures = 1
    with pytest.raises(ModelBroken, match="no memory left, after it had been replaced"):
        await runner.run(PIXELS, wanted)
    with pytest.raises(ModelBroken, match="no memory left"):
        await runner.run(PIXELS, wanted)
    assert model.opened == 4


async def test_several_runs_in_a_row_beyond_the_time_limit_count_as_a_hang(model: FakeModel) -> None:
    runner = Runner(
        "slow", lambda: model.open(b""), time_limits=TimeLimits(open_seconds=10, run_seconds=0.01)
    )
    for _ in range(2 * MAX_TIMEOUTS_IN_A_ROW - 1):
        unwanted = asyncio.Event()
        model.hold()
        run = asyncio.create_task(runner.run(PIXELS, unwanted))
        await entered(model)
        await asyncio.to_thread(model.entered.acquire, timeout=0.02)  # longer than a run may take
        unwanted.set()
        with pytest.raises(RunCancelled):
            await run
    assert model.opened == 2
    model.hold()
    run = asyncio.create_task(runner.run(PIXELS, unwanted := asyncio.Event()))
    await entered(model)
    await asyncio.to_thread(model.entered.acquire, timeout=0.02)
    unwanted.set()
    with pytest.raises(ModelBroken, match="runs in a row"):
        await run


async def test_a_run_that_fails_after_its_task_was_cancelled_is_not_logged_as_lost(
    model: FakeModel, caplog: pytest.LogCaptureFixture
) -> None:
    runner = Runner("left", lambda: model.open(b""))
    model.ignores_terminate = True
    model.failures = 1
    model.hold()
    run = asyncio.create_task(runner.run(PIXELS, unwanted := asyncio.Event()))
    await entered(model)
    unwanted.set()
    await until(lambda: model.terminations > 0)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    model.release()
    await runner.run(PIXELS, asyncio.Event())  # in the same thread, so it ends later
    del run
    gc.collect()
    assert not model.failures
    assert not caplog.records
    runner.close()


@pytest.mark.parametrize("death", [SystemExit, KeyboardInterrupt, StopIteration, GeneratorExit])
async def test_the_awaiting_task_gets_an_error_whatever_ends_the_call(death: type[BaseException]) -> None:
    def die() -> None:
        raise death

    worker = WorkerThread("mortal")
    with pytest.raises(RuntimeError, match="ended its thread"):
        await worker.submit(die)
    assert await worker.submit(lambda: 1) == 1
    worker.stop()
