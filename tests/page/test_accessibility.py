"""Test the page on phones, with the keyboard, with screen readers, and in light and dark."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.page.fake_service import direction, problem
from tests.page.photos import choose, pick, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService

PHONE = {"width": 360, "height": 740}


LONG_NAMES = direction("long", "photographofalandscape" * 2, "watercolourpainting" * 2)


def overflow(page: Page) -> int:
    """Return how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_phone_does_not_scroll_horizontally(open_page: OpenPage, fake_service: FakeService) -> None:
    fake_service.directions = [LONG_NAMES, direction("selfie2anime", "selfie", "anime")]
    phone = open_page(viewport=PHONE, is_mobile=True, has_touch=True)
    widths = {"empty": overflow(phone)}
    translated(phone)
    choose(phone, "generator")
    phone.locator("#heat[src^=blob]").wait_for()
    phone.locator("#about summary").click()
    widths["result"] = overflow(phone)
    fake_service.instead["/translate"] = problem(422, "code", "T" * 80, "d" * 200)
    pick(phone)
    phone.get_by_text("d" * 200).wait_for()
    widths["error"] = overflow(phone)
    assert widths == {"empty": 0, "result": 0, "error": 0}


def test_long_labels_on_the_picture_do_not_overlap(open_page: OpenPage, fake_service: FakeService) -> None:
    fake_service.directions = [LONG_NAMES]
    phone = translated(open_page(viewport=PHONE, is_mobile=True, has_touch=True))
    left, right = (phone.locator(one).bounding_box() for one in ("#show-source", "#show-translation"))
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] < right["x"]


def test_buttons_are_at_least_44_px_high_on_a_phone(open_page: OpenPage) -> None:
    phone = translated(open_page(viewport=PHONE, is_mobile=True, has_touch=True))
    choose(phone, "generator")
    phone.locator("#heat[src^=blob]").wait_for()
    boxes = [
        one.bounding_box() for one in phone.locator("button:visible, label > span:visible, select").all()
    ]
    assert len(boxes) > 10
    assert min(box["height"] for box in boxes if box) >= 44


def luminance(colour: str) -> float:
    """Return the WCAG relative luminance of a CSS colour."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(page: Page, selector: str) -> float:
    """Return the WCAG contrast of an element's text to its background."""
    colours = page.locator(selector).first.evaluate(
        """(node) => {
            const paint = (at) => getComputedStyle(at).backgroundColor;
            let behind = node;
            while (paint(behind) === "rgba(0, 0, 0, 0)") behind = behind.parentElement;
            return [getComputedStyle(node).color, paint(behind)];
        }"""
    )
    dark, light = sorted(luminance(colour) for colour in colours)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_in_light_and_dark(open_page: OpenPage, scheme: str) -> None:
    page = translated(open_page(color_scheme=scheme))
    shown = ["h1", ".privacy span", "#belief-words", "#attention-words", "#status", ".primary:visible"]
    shown += [
        "#fit input:checked + span",
        "#fit input:not(:checked) + span",
        "#directions input:checked + span",
    ]
    assert {selector: contrast(page, selector) for selector in shown if contrast(page, selector) < 4.5} == {}
    assert (luminance(page.evaluate("getComputedStyle(document.body).backgroundColor")) > 0.5) == (
        scheme == "light"
    )


@pytest.mark.parametrize(("motion", "still"), [("reduce", True), ("no-preference", False)])
def test_nothing_is_animated_with_reduced_motion(
    open_page: OpenPage, fake_service: FakeService, motion: str, still: bool
) -> None:
    page = open_page(reduced_motion=motion)
    assert (page.evaluate("document.getAnimations().length") == 0) == still
    fake_service.gate.clear()
    pick(page)
    page.get_by_role("button", name="Stop").wait_for()
    assert (page.evaluate("document.getAnimations().length") == 0) == still


def test_keyboard_reaches_every_control_and_shows_the_focus(page: Page) -> None:
    translated(page)
    choose(page, "generator")
    page.locator("#heat[src^=blob]").wait_for()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        here = page.evaluate("document.activeElement.id || document.activeElement.name || ''")
        reached.add(here)
    wanted = {
        "direction",
        "split",
        "show-source",
        "show-translation",
        "download",
        "network",
        "opacity",
        "colormap",
    }
    assert reached >= wanted | {"download-overlay", "fit"}
    page.locator("#split").focus()
    assert page.locator(".grip").evaluate("(grip) => getComputedStyle(grip).outlineStyle") == "solid"


def test_progress_and_result_are_announced(page: Page, fake_service: FakeService) -> None:
    status = page.locator("#status[role=status]")
    fake_service.gate.clear()
    pick(page)
    status.filter(has_text="Translating selfie to anime").wait_for(state="attached")
    fake_service.gate.set()
    status.filter(has_text="Translated in 0.41 s.").wait_for()
    assert status.get_attribute("aria-live") == "polite"


def test_page_says_where_photos_are_sent(page: Page) -> None:
    assert page.get_by_text("Your photo goes to this server and nowhere else.").is_visible()
