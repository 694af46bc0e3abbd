"""Test the page and /docs below a proxy's path that the service does not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.page.photos import choose, translated
from tests.proxy import proxied
from tests.service import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def service(browser: Browser) -> Iterator[str]:
    """Start service and proxy and return the address; `browser` skips the tests first where there is none."""
    with running_service() as address, proxied(address) as below:
        yield f"{below}/"


@pytest.fixture
def address(service: str) -> str:
    return service


@pytest.mark.parametrize("network", ["generator", "global"])
def test_heat_maps_are_shown(page: Page, network: str) -> None:
    page = translated(page)
    choose(page, network)
    page.locator("#heat[src^=blob]").wait_for()


def test_documentation_can_send_requests(page: Page, address: str) -> None:
    page.goto(f"{address}docs")
    page.locator(".opblock-summary", has_text="/directions").click()
    page.get_by_role("button", name="Try it out").click()
    with page.expect_response("**/directions") as response:
        page.get_by_role("button", name="Execute").click()
    assert response.value.url == f"{address}directions"
    assert response.value.status == 200
