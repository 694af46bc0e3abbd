"""A model that raises, hangs or dies is replaced once; what that means for its direction."""

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
from app.engine.directions.direction_state import LEGAL, Condition, State, Trouble
from app.engine.engine import Engine
from app.engine.errors import DeadlineExceeded, DirectionDefunct, NetworkDefunct
from app.engine.runtime.session import Outputs, Pixels
from app.engine.scheduling.runner import HANGS_IN_A_ROW, HEALED_SECONDS, Broken, Patience, Runner, Unwanted
from app.engine.scheduling.worker_thread import Worker
from app.settings.settings import Settings
from tests.engine.conftest import MakeEngine, entered, until
from tests.engine.fake_model import FakeModel, FakeNetwork, fake_engine, write_fake_bundle
from tests.photos import photo

pytestmark = pytest.mark.anyio

PIXELS = np.zeros((1, 32, 32, 3), np.uint8)
WANTED = asyncio.Event()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.engine.scheduling.runner.TERMINATE_SECONDS", 0.5)


def only(engine: Engine) -> Direction:
    (direction,) = engine.registry
    return direction


def reach(state: State) -> Condition:
    """A condition that has come to a state by legal moves."""
    condition = Condition("cat2dog")
    if state.serves:
        condition.serve()
    if state is State.DEGRADED:
        condition.suffer(Trouble.BUNDLE, "It is torn.")
    if state is State.DEFUNCT:
        condition.give_up("It is broken.")
    return condition


MOVES: dict[str, Callable[[Condition], None]] = {
    "serve": Condition.serve,
    "suffer": lambda condition: condition.suffer(Trouble.GENERATOR, "It failed."),
    "recover": lambda condition: condition.recover(Trouble.BUNDLE),
    "give up": lambda condition: condition.give_up("It failed twice."),
}


@pytest.mark.parametrize(("state", "move"), [*itertools.product(State, MOVES)])
def test_whatever_happens_in_whatever_state_the_move_is_legal(state: State, move: str) -> None:
    condition = reach(state)
    MOVES[move](condition)
    reached = condition.state
    starts_again = state is State.DEFUNCT and reached is State.READY
    assert reached is state or reached in LEGAL[state] or starts_again
    assert (condition.reason is None) == (reached in (State.STARTING, State.READY))


def test_two_troubles_are_both_told_and_both_must_end() -> None:
    condition = reach(State.DEGRADED)
    condition.suffer(Trouble.DISCRIMINATORS, "They failed.")
    assert condition.reason == "It is torn. They failed."
    condition.recover(Trouble.BUNDLE)
    assert condition.state is State.DEGRADED
    condition.recover(Trouble.DISCRIMINATORS)
    assert condition.state is State.READY


async def test_a_direction_is_degraded_while_its_model_is_replaced_and_ready_after(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine()
    model.failures = 1
    task = asyncio.create_task(engine.translate("cat2dog", photo()))
    await entered(model)
    model.hold()
    await until(lambda: only(engine).state is State.DEGRADED)
    assert "being replaced: a run failed: no memory left" in str(only(engine).reason)
    assert engine.why_not_ready() is None
    model.release()
    await task
    assert only(engine).state is State.READY
    assert only(engine).reason is None


async def test_a_model_that_fails_again_within_the_hour_is_given_up_and_lets_its_memory_go(
    bundles: Path, model: FakeModel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "ugatit.engine")  # a kept traceback would keep the model
    opened: list[weakref.ref[FakeNetwork]] = []

    def remember(data: bytes) -> FakeNetwork:
        network = model.open(data)
        opened.append(weakref.ref(network))
        return network

    write_fake_bundle(bundles)
    engine = Engine(Settings(bundles_dir=bundles), remember, shapes=[1])
    engine.start()
    await engine.loaded()
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
    """A model that fails as often as it is told to."""

    provider = "FakeExecutionProvider"

    def __init__(self) -> None:
        self.failures = 0
        self.opened = 0

    def open(self) -> Flaky:
        self.opened += 1
        return self

    def run(self, pixels: Pixels) -> Outputs:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("no memory left")
        return {"image": pixels}

    def terminate(self) -> None:
        return


async def test_an_hour_without_a_failure_earns_another_replacement() -> None:
    model, now = Flaky(), 0.0
    runner = Runner("flaky", model.open, clock=lambda: now)
    for _ in range(3):
        model.failures = 1
        await runner.run(PIXELS, WANTED)
        now += HEALED_SECONDS
    assert model.opened == 4
    now -= 1
    model.failures = 1
    with pytest.raises(Broken, match="no memory left, after it had been replaced"):
        await runner.run(PIXELS, WANTED)
    with pytest.raises(Broken, match="no memory left"):
        await runner.run(PIXELS, WANTED)
    assert model.opened == 4


async def test_runs_that_take_all_the_time_there_is_again_and_again_are_a_hang(model: FakeModel) -> None:
    runner = Runner("slow", lambda: model.open(b""), patience=Patience(open_seconds=10, run_seconds=0.01))
    for _ in range(2 * HANGS_IN_A_ROW - 1):
        unwanted = asyncio.Event()
        model.hold()
        run = asyncio.create_task(runner.run(PIXELS, unwanted))
        await entered(model)
        await asyncio.to_thread(model.entered.acquire, timeout=0.02)  # longer than a run may take
        unwanted.set()
        with pytest.raises(Unwanted):
            await run
    assert model.opened == 2
    model.hold()
    run = asyncio.create_task(runner.run(PIXELS, unwanted := asyncio.Event()))
    await entered(model)
    await asyncio.to_thread(model.entered.acquire, timeout=0.02)
    unwanted.set()
    with pytest.raises(Broken, match="runs in a row"):
        await run


async def test_a_model_that_hangs_when_it_is_opened_makes_its_direction_defunct_not_the_others(
    bundles: Path, model: FakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.engine.directions.registry._TURN_SECONDS", 1)
    write_fake_bundle(bundles, "ant2bee")
    engine = fake_engine(Settings(bundles_dir=write_fake_bundle(bundles).parent, load_seconds=6), model)
    model.opening_hangs = 1
    engine.start()
    await until(lambda: engine.registry["cat2dog"].state is State.READY)
    await engine.translate("cat2dog", photo())
    assert engine.registry["ant2bee"].state is State.STARTING
    await engine.loaded()
    assert engine.registry["ant2bee"].state is State.DEFUNCT
    assert "UGATIT_LOAD_SECONDS" in str(engine.registry["ant2bee"].reason)
    assert engine.why_not_ready() is None
    engine.close()


async def test_a_model_that_hangs_in_its_canary_is_terminated(model: FakeModel, bundles: Path) -> None:
    write_fake_bundle(bundles)
    engine = fake_engine(Settings(bundles_dir=bundles, load_seconds=1), model)
    model.hold()
    engine.start()
    await engine.loaded()
    assert only(engine).state is State.DEFUNCT
    assert model.terminations
    engine.close()


async def test_a_hanging_run_of_one_direction_does_not_hold_up_another(
    bundles: Path, model: FakeModel
) -> None:
    write_fake_bundle(bundles)
    write_fake_bundle(bundles, "ant2bee")
    engine = fake_engine(Settings(bundles_dir=bundles, deadline_seconds=2), model)
    engine.start()
    await engine.loaded()
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


async def test_discriminators_that_hang_when_they_are_opened_do_not_hold_up_translating(
    make_engine: MakeEngine, model: FakeModel
) -> None:
    engine = await make_engine(deadline_seconds=1, load_seconds=2)
    translation = await engine.translate("cat2dog", photo())
    model.opening_hangs = 2
    with pytest.raises(DeadlineExceeded):
        await engine.attention(translation.id, "local")
    await engine.translate("cat2dog", photo())
    await until(lambda: "given up" in str(only(engine).reason))
    assert only(engine).state is State.DEGRADED
    with pytest.raises(NetworkDefunct):
        await engine.attention(translation.id, "local")
    await engine.registry.reload(again=True)
    assert only(engine).state is State.READY
    await engine.attention((await engine.translate("cat2dog", photo())).id, "local")


@pytest.mark.parametrize("death", [SystemExit, KeyboardInterrupt, StopIteration, GeneratorExit])
async def test_whatever_a_thread_dies_of_the_one_who_awaits_gets_an_error(death: type[BaseException]) -> None:
    def die() -> None:
        raise death

    worker = Worker("mortal")
    with pytest.raises(RuntimeError, match="told to end"):
        await worker.submit(die)
    assert await worker.submit(lambda: 1) == 1
    worker.stop()
