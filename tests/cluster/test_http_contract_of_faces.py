"""The tests of faces over HTTP with the remote engine, with the bundles of tests/http/test_faces.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.cluster.http_contract import MARKS, clients_of, contract_tests, serving_bundles
from tests.fake_engine import write_fake_bundle

pytestmark = MARKS

globals().update(contract_tests("faces"))


@pytest.fixture(scope="module")
def bundles(ray_node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start a cluster with a replica of each of two directions; return its folder of bundles."""
    folder = tmp_path_factory.mktemp("bundles")
    write_fake_bundle(folder, framing="face")
    write_fake_bundle(folder, "horse2zebra")
    with serving_bundles(folder) as served:
        yield served


@pytest.fixture
def client(bundles: Path) -> Iterator[TestClient]:
    with clients_of(bundles) as make_client:
        yield make_client(queue_size=2)
