"""An engine whose model a test controls."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from app.engine.engine import Engine
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


MakeEngine = Callable[..., Awaitable[Engine]]


@pytest.fixture
def make_engine(model: FakeModel, tmp_path: Path) -> Iterator[MakeEngine]:
    """Makes a loaded engine with a test's settings."""
    engines: list[Engine] = []

    async def make(*, batch_sizes: list[int] | None = None, **settings: object) -> Engine:
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
    """Wait until a run is under way."""
    assert await asyncio.to_thread(model.entered.acquire, timeout=60), "no run began"


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks go on until something holds."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110  # no event tells a test about the engine's inside
            await asyncio.sleep(0)
