"""Test the layout: the picture is fully visible on every screen, and nothing overflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.page.photos import photo, stripes, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage

SCREENS = {
    "laptop": {"width": 1280, "height": 800},
    "phone in landscape": {"width": 740, "height": 360},
    "small phone in landscape": {"width": 667, "height": 325},
    "phone": {"width": 390, "height": 844},
    "tablet": {"width": 768, "height": 1024},
    "wide": {"width": 1920, "height": 1080},
}
OUTSIDE = """(nodes) => nodes
    .map((node) => [node.textContent.trim(), node.getBoundingClientRect()])
    .filter(([, {left, right, width}]) => width && (left < 0 || right > innerWidth))
    .map(([words]) => words)"""


def box(page: Page, selector: str) -> dict[str, Any]:
    """Return an element's rectangle in the viewport."""
    edges: dict[str, Any] = page.locator(selector).evaluate("(node) => node.getBoundingClientRect().toJSON()")
    return edges


def assert_picture_is_visible(page: Page, height: int) -> None:
    frame = box(page, "#frame")
    assert -1 < frame["top"] < frame["bottom"] < height + 1


@pytest.mark.parametrize("screen", SCREENS)
def test_picture_is_fully_visible_and_nothing_overflows(open_page: OpenPage, screen: str) -> None:
    viewport = SCREENS[screen]
    page = open_page(viewport=viewport, is_mobile=viewport["width"] < 800)
    page.locator("input[value=contain]").evaluate("(input) => { input.checked = true; }")
    page.evaluate("scrollTo(0, document.body.scrollHeight)")  # a photo may be chosen at any position
    for width, height in ((200, 200), (400, 200), (200, 400)):
        translated(page, photo(f"{width}.png", picture=stripes().resize((width, height))))
        page.get_by_text(f"{width} × {height} px, PNG.").wait_for()
        assert_picture_is_visible(page, viewport["height"])
        page.evaluate("scrollTo(0, 0)")
        assert_picture_is_visible(page, viewport["height"])
        frame = box(page, "#frame")
        assert frame["width"] / frame["height"] == pytest.approx(width / height, rel=0.02)
        assert min(frame["width"], frame["height"]) > 80
        assert box(page, ".underline")["top"] >= frame["bottom"]
        assert page.locator("button, select, label, p, a, h1, h2, .card").evaluate_all(OUTSIDE) == []


def test_buttons_are_aligned_with_the_picture_on_a_laptop(open_page: OpenPage) -> None:
    page = translated(open_page(viewport=SCREENS["laptop"]))
    assert box(page, ".underline .actions")["right"] == pytest.approx(box(page, "#frame")["right"], abs=1)


@pytest.mark.parametrize("screen", SCREENS)
def test_first_buttons_are_visible_without_scrolling(open_page: OpenPage, screen: str) -> None:
    page = open_page(viewport=SCREENS[screen])
    for name in ("Choose a photo", "Take a photo", "Live camera", "Try a sample face"):
        edges = page.get_by_role("button", name=name).first.evaluate(
            "(node) => node.getBoundingClientRect().toJSON()"
        )
        assert 0 <= edges["top"] < edges["bottom"] <= SCREENS[screen]["height"], name


def test_screen_reader_finds_only_the_visible_buttons(page: Page) -> None:
    cdp = page.context.new_cdp_session(page)
    nodes = cdp.send("Accessibility.getFullAXTree")["nodes"]
    buttons = [
        node["name"]["value"]
        for node in nodes
        if not node["ignored"] and node.get("role", {}).get("value") == "button"
    ]
    assert buttons == ["Choose a photo", "Take a photo", "Live camera", "Try a sample face"]
