"""The tests of the HTTP contract with the remote engine: every form of request and answer, and the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from starlette.testclient import TestClient

from tests.cluster.http_contract import MARKS, clients_of, contract_tests, serving_bundles
from tests.fake_engine import write_fake_bundle
from tests.http.conftest import MakeClient

pytestmark = MARKS

SETTINGS: Final[dict[str, dict[str, Any]]] = {"tests.http.test_answer_cache": {"answer_cache_mb": 1}}
"""Of the clients of a module's tests, where they are not the defaults."""

globals().update(
    contract_tests(
        "animations",
        "answer_cache",
        "answer_tag",
        "batch",
        "content_encoding",
        "heat_maps",
        "negotiation",
        "service",
        "translate",
        "translate_refusals",
    )
)


@pytest.fixture(scope="module")
def bundles(ray_node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start a cluster of one replica; return its folder of bundles."""
    folder = tmp_path_factory.mktemp("bundles")
    write_fake_bundle(folder)
    with serving_bundles(folder) as served:
        yield served


@pytest.fixture
def make_client(bundles: Path) -> Iterator[MakeClient]:
    with clients_of(bundles) as make:
        yield make


@pytest.fixture
def client(request: pytest.FixtureRequest, make_client: MakeClient) -> TestClient:
    return make_client(**SETTINGS.get(request.function.__module__, {}))


def test_the_page_and_the_documentation_are_served(client: TestClient) -> None:
    for path in ("/", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200
