"""The page and /docs behind a proxy that serves them below a path of which the service knows nothing."""

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
    """Started only where there is a browser."""
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


def test_the_documentation_tries_its_operations(page: Page, address: str) -> None:
    page.goto(f"{address}docs")
    page.locator(".opblock-summary", has_text="/directions").click()
    page.get_by_role("button", name="Try it out").click()
    with page.expect_response("**/directions") as asked:
        page.get_by_role("button", name="Execute").click()
    assert asked.value.url == f"{address}directions"
    assert asked.value.status == 200
