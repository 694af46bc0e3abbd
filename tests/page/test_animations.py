"""Animated files in the page: sent as they are, and their translation plays."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from models.images.encode import MediaType
from tests.animations import animated
from tests.page.photos import translated
from tests.service import running_service

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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
def test_translation_of_an_animated_file_plays(page: Page, media_type: MediaType) -> None:
    with page.expect_response(lambda answer: "/translate?" in answer.url) as waiting:
        translated(page, moving(media_type))
    answer = waiting.value.json()
    assert answer["animation"]["frames"] == 3
    assert answer["image"]["media_type"] == "image/webp"
    colours = [_colour(page.locator("#stage, #frame").first.screenshot()) for _ in range(14)]
    changes = [after for before, after in pairwise(colours) if after != before]
    assert len(changes) > len(set(changes)), f"no colour is shown again: {colours}"


def _colour(screenshot: bytes) -> tuple[int, ...]:
    """The colour at the right, where the translation is shown."""
    with Image.open(io.BytesIO(screenshot)) as image:
        return image.convert("RGB").getpixel((round(image.width * 0.9), image.height // 2))
