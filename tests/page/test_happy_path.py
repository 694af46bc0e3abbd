"""Test the way from a photo to its translation, heat map and download, with any server."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.page.photos import choose, seam, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage


@pytest.fixture
def selfie_page(open_page: OpenPage) -> Page:
    """Open the page with the direction selfie2anime."""
    return open_page(query="?direction=selfie2anime")


def test_picked_photo_is_translated(selfie_page: Page) -> None:
    page = translated(selfie_page)
    assert page.locator("#translation").is_visible()
    assert page.locator("#translation").get_attribute("alt") == "The translation: anime"
    assert page.locator("#show-source").inner_text() == "selfie"
    assert page.locator("#show-translation").inner_text() == "anime"


def test_probability_names_the_source_domain(selfie_page: Page) -> None:
    page = translated(selfie_page)
    words = page.locator("#probability").inner_text()
    assert words.endswith("% selfie")


def test_generators_heat_map_is_shown_over_the_photo(selfie_page: Page) -> None:
    page = translated(selfie_page)
    assert page.locator("#heat").is_hidden()
    choose(page, "generator")
    page.locator("#heat[src^=blob]").wait_for()
    assert seam(page) == 100
    assert "generator" in page.locator("#attention-words").inner_text()


def test_downloaded_file_is_named_after_photo_and_direction(selfie_page: Page) -> None:
    page = translated(selfie_page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the translation").click()
    assert download.value.suggested_filename == "holiday-selfie2anime.png"
    with Image.open(io.BytesIO(Path(download.value.path()).read_bytes())) as saved:
        shown = page.locator("#translation").evaluate("(image) => [image.naturalWidth, image.naturalHeight]")
        assert list(saved.size) == shown


def test_other_direction_translates_the_same_photo(selfie_page: Page) -> None:
    page = translated(selfie_page)
    with page.expect_response(lambda answer: "direction=anime2selfie" in answer.url):
        choose(page, "anime2selfie")
    page.get_by_text("Translated in").wait_for()
    assert page.locator("h1").inner_text() == "Anime in. Selfie out."
    assert page.locator("#show-source").inner_text() == "anime"
