"""Test the page through the front of a cluster that serves the shipped bundles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.cli.command import ROOT
from tests.cluster.live_cluster import cluster_up
from tests.page.conftest import browser as browser
from tests.page.conftest import open_page as open_page
from tests.page.test_happy_path import *  # noqa: F403

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.cluster, pytest.mark.serial]


@pytest.fixture(scope="module")
def front(browser: Browser) -> Iterator[str]:
    """Start a cluster and return its address; without a browser the tests are skipped before that."""
    with cluster_up(ROOT / "bundles", UGATIT_LOG_LEVEL="error") as cluster:
        yield f"http://127.0.0.1:{cluster.port}"


@pytest.fixture
def address(front: str) -> str:
    """Return the address of the page."""
    return front
