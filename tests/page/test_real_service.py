"""Test the page with the real service and the shipped bundles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.page.photos import choose, photo, stripes, translated
from tests.page.test_happy_path import *  # noqa: F403 - run the same tests with the real service
from tests.service import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def service(browser: Browser) -> Iterator[str]:
    """Start the service and return its address; `browser` skips the tests first where there is none."""
    with running_service() as address:
        yield address


@pytest.fixture
def address(service: str) -> str:
    return service


@pytest.mark.parametrize("network", ["generator", "local", "global"])
def test_every_networks_heat_map_is_shown(page: Page, network: str) -> None:
    page = translated(page)
    choose(page, network)
    page.locator("#heat[src^=blob]").wait_for()
    assert network in page.locator("#attention-words").inner_text()


def test_page_opens_with_the_direction_selfie2anime(page: Page) -> None:
    assert page.locator("h1").inner_text() == "Selfie in. Anime out."


def test_large_photo_is_returned_at_the_size_that_the_page_names(page: Page) -> None:
    translated(page, photo(picture=stripes().resize((2000, 1500))))
    with page.expect_response(lambda answer: "fit=contain" in answer.url):
        choose(page, "contain")
    page.get_by_text("1024 × 768 px, JPEG. Enlarged from the 128 px that this model paints.").wait_for()
    shown = page.locator("#translation").evaluate("(image) => [image.naturalWidth, image.naturalHeight]")
    assert shown == [1024, 768]


def test_sample_face_is_translated_and_the_models_limits_are_shown(page: Page) -> None:
    page.get_by_role("button", name="Try a sample face").click()
    page.get_by_text("Translated in").wait_for()
    expectations = page.locator("#expectations")
    assert "This is a small model: it paints 128 × 128 px." in expectations.inner_text()
    assert "not for identifying or judging people" in expectations.inner_text()
