"""Animated files in the page: sent as they are, and their translation plays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from models.images.encode import MediaType
from tests.animations import animated
from tests.page.photos import choose, pixel, translated
from tests.service import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.page.conftest import OpenPage

_COLOURS = [(230, 30, 30), (30, 200, 30), (30, 60, 230)]


@pytest.fixture(scope="module")
def service(browser: Browser) -> Iterator[str]:
    with running_service() as address:
        yield address


@pytest.fixture
def address(service: str) -> str:
    return service


def moving(media_type: MediaType) -> dict[str, Any]:
    frames = [np.full((96, 96, 3), colour, np.uint8) for colour in _COLOURS]
    return {"name": "dance", "mimeType": media_type, "buffer": animated(media_type, frames=frames)}


@pytest.mark.parametrize("media_type", ["image/gif", "image/webp", "image/png"])
def test_translation_of_an_animated_file_plays(open_page: OpenPage, media_type: MediaType) -> None:
    page = open_page(reduced_motion="no-preference")
    with page.expect_response(lambda answer: "/translate?" in answer.url) as waiting:
        translated(page, moving(media_type))
    answer = waiting.value.json()
    assert answer["animation"]["frames"] == 3
    assert answer["image"]["media_type"] == "image/webp"
    changes: list[tuple[int, ...]] = []
    while len(changes) == len(set(changes)):  # until a colour is shown again
        colour = _colour(page.locator("#frame").screenshot())
        changes += [colour] if changes[-1:] != [colour] else []


def _colour(screenshot: bytes) -> tuple[int, ...]:
    """The colour at the right, where the translation is shown."""
    with Image.open(io.BytesIO(screenshot)) as image:
        return image.convert("RGB").getpixel((round(image.width * 0.9), image.height // 2))


def test_frame_of_an_animation_is_chosen_for_its_heat_map(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    translated(page, moving("image/gif"))  # with reduced motion, the first frame is shown alone
    page.get_by_text("Frame 1 of 3").wait_for()
    first = pixel(page, "#source")
    choose(page, "generator")
    page.locator("#heat[src^=blob]").wait_for()
    page.get_by_label("Frame", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.get_by_text("Frame 2 of 3").wait_for()
    page.locator("#attention:not([aria-busy])").wait_for()
    while pixel(page, "#source") == first:
        page.wait_for_timeout(20)
    red, green, blue = pixel(page, "#source")
    assert green > red
    assert green > blue
    heat_maps = [url for url in asked if "view=heatmap" in url]
    assert "frame=1" in heat_maps[-1]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the overlay").click()
    assert download.value.suggested_filename.startswith("dance-")
    assert "frame=1" in asked[-1]
    page.get_by_role("button", name="Play").click()
    page.get_by_text("3 frames").wait_for()
    assert page.locator("#heat").is_hidden()
    assert page.get_by_role("button", name="Pause").is_visible()
