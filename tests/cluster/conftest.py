"""What Ray reads when it is imported: 127.0.0.1 only, a secret, where its workers find tests; one node."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator

import pytest

from app.cluster.ray_head import serve_environment
from tests.cli.command import ROOT

# Serve's router stays in the event loop of its first call. Each test has its own loop, so here the router
# has a thread.
_ROUTER_THREAD = {"RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "1"}
os.environ.update(serve_environment(secrets.token_hex(16)) | _ROUTER_THREAD | {"PYTHONPATH": str(ROOT)})


@pytest.fixture(scope="package")
def ray_node() -> Iterator[str]:
    """Start Ray on one node, once for the tests that break nothing; return its address."""
    from tests.cluster.ray_cluster import one_node, short_folder

    with short_folder() as folder, one_node(folder) as address:
        yield address
