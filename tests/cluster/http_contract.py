"""The tests of tests/http that need no control over the model, and clients of a cluster for them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.testclient import TestClient

from app.http.factory import create_app
from app.settings.settings import Settings
from tests.http.conftest import MakeClient

MARKS: Final = [
    pytest.mark.cluster,
    pytest.mark.serial,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]
_CONTROL: Final = {"model", "make_live", "tmp_path", "monkeypatch", "caplog"}
"""Fixtures of tests that change what this process cannot change in a cluster."""


def contract_tests(*subjects: str) -> dict[str, Callable[..., Any]]:
    """Return the tests of tests/http/test_SUBJECT.py that the model of a cluster can pass, by new names."""
    found = {}
    for subject in subjects:
        module = importlib.import_module(f"tests.http.test_{subject}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            controls = inspect.signature(function).parameters.keys() & _CONTROL
            if name.startswith("test_") and not controls and "registry" not in inspect.getsource(function):
                found[f"test_{subject}_{name.removeprefix('test_')}"] = function
    return found


@contextmanager
def serving_bundles(folder: Path) -> Iterator[Path]:
    """Serve the bundles in a folder by one replica each, on the Ray that this process is connected to."""
    from app.cluster.options import ClusterOptions
    from tests.cluster.ray_cluster import fake_models, serving_cluster

    with serving_cluster(Settings(bundles_dir=folder), ClusterOptions(), fake_models):
        yield folder


@contextmanager
def clients_of(bundles: Path) -> Iterator[MakeClient]:
    """Return a function that makes a client of an application of the cluster with the given settings."""
    from app.cluster.remote_engine import RemoteEngine

    with ExitStack() as stack:

        def make(*, loaded: bool = True, **settings: object) -> TestClient:
            chosen = Settings(bundles_dir=bundles, **settings)
            engine = RemoteEngine(chosen)
            client = TestClient(create_app(chosen, engine), raise_server_exceptions=False)
            client.app_state["engine"] = engine
            stack.enter_context(client)
            if loaded:
                client.portal.call(engine.wait_until_loaded)
            return client

        yield make
