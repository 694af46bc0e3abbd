"""The tests of the HTTP contract with the remote engine: every form of request and answer, and the page.

They are those of tests/http that need no control over the model: it is in another process here.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from app.http.factory import create_app
from app.settings.settings import Settings
from tests.fake_engine import write_fake_bundle
from tests.http.conftest import MakeClient

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.serial,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
]

SUBJECTS = (
    "animations",
    "answer_cache",
    "answer_tag",
    "batch",
    "content_encoding",
    "faces",
    "heat_maps",
    "negotiation",
    "service",
    "translate",
    "translate_refusals",
)
CONTROL = ("model", "make_live", "tmp_path", "monkeypatch", "caplog")
"""Fixtures of tests that change what this process cannot change in a cluster."""

for subject in SUBJECTS:
    module = importlib.import_module(f"tests.http.test_{subject}")
    for name, function in inspect.getmembers(module, inspect.isfunction):
        needs = inspect.signature(function).parameters.keys()
        if (
            name.startswith("test_")
            and not needs & set(CONTROL)
            and "registry" not in inspect.getsource(function)
        ):
            globals()[f"test_{subject}_{name.removeprefix('test_')}"] = function


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start a cluster of one replica; return its folder of bundles."""
    from app.cluster.options import ClusterOptions
    from tests.cluster.ray_cluster import fake_models, one_node, serving_cluster, short_folder

    folder = tmp_path_factory.mktemp("bundles")
    write_fake_bundle(folder)
    settings = Settings(bundles_dir=folder)
    with short_folder() as ray, one_node(ray), serving_cluster(settings, ClusterOptions(), fake_models):
        yield folder


@pytest.fixture
def make_client(cluster: Path) -> Iterator[MakeClient]:
    """Return a function that makes a client of an application of the cluster with the given settings."""
    from app.cluster.remote_engine import RemoteEngine

    with ExitStack() as stack:

        def make(*, loaded: bool = True, **settings: object) -> TestClient:
            chosen = Settings(bundles_dir=cluster, **settings)
            engine = RemoteEngine(chosen)
            client = TestClient(create_app(chosen, engine), raise_server_exceptions=False)
            client.app_state["engine"] = engine
            stack.enter_context(client)
            if loaded:
                client.portal.call(engine.wait_until_loaded)
            return client

        yield make


@pytest.fixture
def client(make_client: MakeClient) -> TestClient:
    return make_client()


def test_the_page_and_the_documentation_are_served(client: TestClient) -> None:
    for path in ("/", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200
