"""A direction changes state while its model, which raised or hangs, is replaced."""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import weakref
from collections.abc import Callable
from pathlib import Path

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
from app.settings.settings import Settings
from tests.engine.conftest import MakeEngine, entered, until
from tests.fake_engine import FakeModel, FakeSession, fake_engine, write_fake_bundle
from tests.photos import photo

pytestmark = pytest.mark.anyio


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
