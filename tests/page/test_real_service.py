"""The page and the real service with the bundles that are shipped: the same path, and every network."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.page.photos import choose, translated
from tests.page.test_happy_path import *  # noqa: F403 - the same tests, at another address
from tests.service import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def service(browser: Browser) -> Iterator[str]:
    """Started only where there is a browser."""
    with running_service() as address:
        yield address


@pytest.fixture
def address(service: str) -> str:
    return service


@pytest.mark.parametrize("network", ["generator", "local", "global"])
def test_every_network_shows_where_it_looked(page: Page, network: str) -> None:
    page = translated(page)
    choose(page, network)
    page.locator("#heat[src^=blob]").wait_for()
    assert network in page.locator("#attention-words").inner_text()


def test_the_page_opens_on_the_direction_for_photos_of_people(page: Page) -> None:
    assert page.locator("h1").inner_text() == "Selfie in. Anime out."
