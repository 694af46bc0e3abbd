"""The whole application in this process, over a fake model: what a test asks thousands of times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from app.http.factory import create_app
from app.settings.settings import Settings
from tests.fake_engine import FakeModel, fake_engine

URL = "/translate?direction=cat2dog"


@contextmanager
def in_process(bundles: Path, **settings: object) -> Iterator[TestClient]:
    """A client of an application whose one direction, cat2dog, is ready."""
    chosen = Settings(**{"bundles_dir": bundles} | settings)
    engine = fake_engine(chosen, FakeModel())
    with TestClient(create_app(chosen, engine), raise_server_exceptions=False) as client:
        assert client.portal is not None
        client.portal.call(engine.wait_until_loaded)
        yield client
