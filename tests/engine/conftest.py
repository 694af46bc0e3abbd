"""Fixtures: an engine whose model the test controls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from app.engine.local_engine import LocalEngine
from app.settings.settings import Settings
from tests.fake_engine import FakeModel, fake_engine


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def model() -> Iterator[FakeModel]:
    model = FakeModel()
    yield model
    model.stop_hanging()


MakeEngine = Callable[..., Awaitable[LocalEngine]]


@pytest.fixture
def make_engine(model: FakeModel, tmp_path: Path) -> Iterator[MakeEngine]:
    """Return a function that makes a loaded engine with the test's settings."""
    engines: list[LocalEngine] = []

    async def make(*, batch_sizes: list[int] | None = None, **settings: object) -> LocalEngine:
        engine = fake_engine(
            Settings(bundles_dir=tmp_path / "bundles", **settings), model, batch_sizes=batch_sizes
        )
        engines.append(engine)
        engine.start()
        await engine.wait_until_loaded()
        model.batches.clear()
        while model.entered.acquire(blocking=False):
            pass
        return engine

    yield make
    for engine in engines:
        engine.registry.close()


async def entered(model: FakeModel) -> None:
    """Wait until a run has begun."""
    assert await asyncio.to_thread(model.entered.acquire, timeout=60), "no run began"


async def until(condition: Callable[[], bool]) -> None:
    """Run the other tasks until the condition holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # the engine's internals have no event to wait for
            await asyncio.sleep(0)
