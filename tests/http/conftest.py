"""Fixtures: the application with an engine whose model the test controls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.http.factory import create_app
from app.settings.settings import Settings
from tests.fake_engine import FakeModel, fake_engine
from tests.http.live import Live, serving

MakeClient = Callable[..., TestClient]
MakeLive = Callable[..., Live]


@pytest.fixture
def model() -> Iterator[FakeModel]:
    model = FakeModel()
    yield model
    model.stop_hanging()


@pytest.fixture
def make_live(model: FakeModel, tmp_path: Path) -> Iterator[MakeLive]:
    """Return a function that starts a server with the given settings and loaded directions."""
    with ExitStack() as stack:

        def make(**settings: object) -> Live:
            chosen = Settings(bundles_dir=tmp_path / "bundles", **settings)
            live = stack.enter_context(serving(chosen, fake_engine(chosen, model)))
            stack.callback(model.release)
            while model.entered.acquire(blocking=False):
                pass
            return live

        yield make


@pytest.fixture
def make_client(model: FakeModel, tmp_path: Path) -> Iterator[MakeClient]:
    """Return a function that makes a client of an application with the given settings."""
    with ExitStack() as stack:

        def make(*, loaded: bool = True, **settings: object) -> TestClient:
            chosen = Settings(**{"bundles_dir": tmp_path / "bundles"} | settings)
            engine = fake_engine(chosen, model)
            client = TestClient(create_app(chosen, engine), raise_server_exceptions=False)
            client.app_state["engine"] = engine
            stack.enter_context(client)
            stack.callback(model.release)
            if loaded:
                client.portal.call(engine.wait_until_loaded)
                while model.entered.acquire(blocking=False):
                    pass
            return client

        yield make


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()
