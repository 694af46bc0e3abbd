"""A model that raises, hangs or ends its thread is replaced once, and its direction changes state."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.engine.directions.direction import Direction
from app.engine.directions.direction_state import (
    TRANSITIONS,
    Fault,
    FaultCleared,
    FaultRaised,
    GeneratorLost,
    Health,
    State,
)
from app.engine.errors import DeadlineExceeded, DirectionDefunct, NetworkDefunct
from app.engine.local_engine import LocalEngine
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
from app.settings.settings import Settings
from tests.engine.conftest import MakeEngine, entered, until
from tests.fake_engine import FakeModel, FakeSession, fake_engine, write_fake_bundle
from tests.photos import photo

pytestmark = pytest.mark.anyio

PIXELS = np.zeros((1, 32, 32, 3), np.uint8)


@pytest.fixture(autouse=True)
def short_termination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine.scheduling.runner.TERMINATE_SECONDS", 0.5)


def only(engine: LocalEngine) -> Direction:
    (direction,) = engine.registry
    return direction


def reach(state: State) -> Health:
    """Return the health of a direction that reached a state by legal transitions."""
    health = Health("cat2dog")
    if state.serves:
        health.set_ready()
    if state is State.DEGRADED:
        health.apply(FaultRaised(Fault.BUNDLE, "It is torn."))
    if state is State.DEFUNCT:
        health.set_defunct("It is broken.")
    return health


CHANGES: dict[str, Callable[[Health], None]] = {
    "ready": Health.set_ready,
    "fault raised": lambda health: health.apply(FaultRaised(Fault.GENERATOR, "It failed.")),
    "fault cleared": lambda health: health.apply(FaultCleared(Fault.BUNDLE)),
    "generator lost": lambda health: health.apply(GeneratorLost("It failed twice.")),
}


@pytest.mark.parametrize(("state", "change"), [*itertools.product(State, CHANGES)])
def test_every_change_in_every_state_is_a_legal_transition(state: State, change: str) -> None:
    health = reach(state)
    CHANGES[change](health)
    reached = health.state
    restarted = state is State.DEFUNCT and reached is State.READY
    assert reached is state or reached in TRANSITIONS[state] or restarted
    assert (health.reason is None) == (reached in (State.STARTING, State.READY))


def test_two_faults_are_both_reported_and_both_must_be_cleared() -> None:
    health = reach(State.DEGRADED)
    health.apply(FaultRaised(Fault.DISCRIMINATORS, "They failed."))
    assert health.reason == "It is torn. They failed."
    health.apply(FaultCleared(Fault.BUNDLE))
    assert health.state is State.DEGRADED
    health.apply(FaultCleared(Fault.DISCRIMINATORS))
    assert health.state is State.READY


async def test_a_direction_is_degraded_only_while_its_model_is_replaced(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.failures = 1
    model.hold()
    task = asyncio.create_task(engine.translate("cat2dog", photo()))
    await entered(model)
    model.release_current()  # it fails, and the check of its replacement waits
    await until(lambda: only(engine).state is State.DEGRADED)
    assert "being replaced: a run failed: no memory left" in str(only(engine).reason)
    assert engine.not_ready_reason() is None
    model.release()
    await task
    assert only(engine).state is State.READY
    assert only(engine).reason is None


async def test_a_model_that_fails_again_within_an_hour_is_broken_and_releases_its_memory(
    bundles: Path, model: FakeModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(
        logging.CRITICAL, "ugatit.engine"
    )  # a traceback in caplog would keep the model in memory
    opened: list[weakref.ref[FakeSession]] = []

    def remember(data: bytes) -> FakeSession:
        network = model.open(data)
        opened.append(weakref.ref(network))
        return network

    write_fake_bundle(bundles)
    engine = LocalEngine(Settings(bundles_dir=bundles), [remember], batch_sizes=[1])
    engine.start()
    await engine.wait_until_loaded()
    translation = await engine.translate("cat2dog", photo())
    await engine.attention(translation.id, "local")
    model.failures = 1
    await engine.translate("cat2dog", photo())
    model.failures = 1
    waiting = [asyncio.create_task(engine.translate("cat2dog", photo())) for _ in range(3)]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DirectionDefunct}
    assert only(engine).state is State.DEFUNCT
    del waiting, outcomes
    await until(lambda: gc.collect() >= 0 and not any(network() for network in opened))
    assert only(engine).admission.held == 0
    engine.close()


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    return tmp_path / "bundles"


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


async def test_a_model_that_hangs_while_opening_makes_only_its_own_direction_defunct(
    bundles: Path, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.directions.registry._LOAD_ALONE_SECONDS", 1)
    write_fake_bundle(bundles, "ant2bee")
    engine = fake_engine(Settings(bundles_dir=write_fake_bundle(bundles).parent, load_seconds=6), model)
    model.opening_hangs = 1
    engine.start()
    await until(lambda: engine.registry["cat2dog"].state is State.READY)
    await engine.translate("cat2dog", photo())
    assert engine.registry["ant2bee"].state is State.STARTING
    await engine.wait_until_loaded()
    assert engine.registry["ant2bee"].state is State.DEFUNCT
    assert "UGATIT_LOAD_SECONDS" in str(engine.registry["ant2bee"].reason)
    assert engine.not_ready_reason() is None
    engine.close()


async def test_a_model_that_hangs_in_its_canary_is_terminated(model: FakeModel, bundles: Path) -> None:
    write_fake_bundle(bundles)
    engine = fake_engine(Settings(bundles_dir=bundles, load_seconds=1), model)
    model.hold()
    engine.start()
    await engine.wait_until_loaded()
    assert only(engine).state is State.DEFUNCT
    assert model.terminations
    engine.close()


async def test_a_hanging_run_of_one_direction_does_not_delay_another(bundles: Path, model: FakeModel) -> None:
    write_fake_bundle(bundles)
    write_fake_bundle(bundles, "ant2bee")
    engine = fake_engine(Settings(bundles_dir=bundles, deadline_seconds=2), model)
    engine.start()
    await engine.wait_until_loaded()
    while model.entered.acquire(blocking=False):
        pass
    model.hangs = 1
    hanging = asyncio.create_task(engine.translate("cat2dog", photo()))
    await entered(model)
    await engine.translate("ant2bee", photo())
    with pytest.raises(DeadlineExceeded):
        await hanging
    await engine.translate("cat2dog", photo())
    engine.close()


async def test_discriminators_that_hang_while_opening_do_not_delay_translations(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(deadline_seconds=1, load_seconds=2)
    translation = await engine.translate("cat2dog", photo())
    model.opening_hangs = 2
    with pytest.raises(DeadlineExceeded):
        await engine.attention(translation.id, "local")
    await engine.translate("cat2dog", photo())
    await until(lambda: "do not work" in str(only(engine).reason))
    assert only(engine).state is State.DEGRADED
    with pytest.raises(NetworkDefunct):
        await engine.attention(translation.id, "local")
    await engine.registry.reload(retry=True)
    assert only(engine).state is State.READY
    await engine.attention((await engine.translate("cat2dog", photo())).id, "local")


@pytest.mark.parametrize("death", [SystemExit, KeyboardInterrupt, StopIteration, GeneratorExit])
async def test_the_awaiting_task_gets_an_error_whatever_ends_the_call(death: type[BaseException]) -> None:
    def die() -> None:
        raise death

    worker = WorkerThread("mortal")
    with pytest.raises(RuntimeError, match="ended its thread"):
        await worker.submit(die)
    assert await worker.submit(lambda: 1) == 1
    worker.stop()
