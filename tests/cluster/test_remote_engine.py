"""The remote engine does what every engine does. Ray is started once for all tests of this file."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.engine.interface import Engine
from app.settings.settings import Settings
from tests.engine.test_every_engine import *  # noqa: F403  # the same tests, with the fixtures below
from tests.engine.test_every_engine import Open, opening
from tests.tiny_bundle import write_tiny_bundle

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.serial,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed"),
]


@pytest.fixture(scope="module")
def bundles(ray_node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start a cluster of one replica; return its folder of bundles."""
    from app.cluster.options import ClusterOptions
    from tests.cluster.ray_cluster import bundles_in, serving_cluster

    folder = tmp_path_factory.mktemp("bundles")
    write_tiny_bundle(folder)
    with serving_cluster(bundles_in(folder), ClusterOptions()):
        yield folder


@pytest.fixture
async def open_loaded(bundles: Path) -> AsyncIterator[Open]:
    """Return a function that returns a loaded engine of the cluster."""
    from app.cluster.remote_engine import RemoteEngine

    def remote(**settings: Any) -> Engine:
        return RemoteEngine(Settings(bundles_dir=bundles, **settings))

    async with opening(remote) as loaded:
        yield loaded
