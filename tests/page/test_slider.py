"""Test the slider over source and translation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.photos import BLUE, GREEN, MAGENTA, RED, choose, pixel, rotated_photo, seam, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.fake_service import FakeService


def test_arrow_keys_move_the_seam(page: Page) -> None:
    translated(page)
    slider = page.get_by_role("slider", name="Before and after")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert seam(page) == 52
    assert slider.get_attribute("aria-valuetext") == "52 % selfie, 48 % anime"
    page.keyboard.press("Home")
    assert seam(page) == 0


def test_dragging_moves_the_seam_and_clips_the_translation(page: Page) -> None:
    translated(page)
    box = page.locator("#frame").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.up()
    assert abs(seam(page) - 25) < 0.5
    clip = page.locator("#translation").evaluate("(image) => getComputedStyle(image).clipPath")
    assert clip == "inset(0px 0px 0px 25%)"


def test_labels_show_only_the_photo_or_only_the_translation(page: Page) -> None:
    translated(page)
    page.get_by_role("button", name="anime", exact=True).click()
    assert seam(page) == 0
    page.get_by_role("button", name="selfie", exact=True).click()
    assert seam(page) == 100


def test_source_is_cropped_to_its_centre_square(page: Page) -> None:
    translated(page)
    assert [pixel(page, "#source", x) for x in (0, 0.5, 1)] == [GREEN] * 3
    assert pixel(page, "#translation") == MAGENTA
    box = page.locator("#frame").bounding_box()
    assert box is not None
    assert abs(box["width"] - box["height"]) < 1


def test_whole_photo_can_be_chosen(page: Page, fake_service: FakeService) -> None:
    translated(page)
    choose(page, "contain")
    page.get_by_text("Translated in").wait_for()
    assert fake_service.received("/translate")[-1].query["fit"] == "contain"
    assert [pixel(page, "#source", x) for x in (0, 0.5, 1)] == [RED, GREEN, BLUE]
    box = page.locator("#frame").bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 1.5) < 0.02


def test_photo_can_be_stretched(page: Page, fake_service: FakeService) -> None:
    translated(page)
    choose(page, "stretch")
    page.get_by_text("Translated in").wait_for()
    assert fake_service.received("/translate")[-1].query["fit"] == "stretch"
    assert [pixel(page, "#source", x) for x in (0, 0.5, 1)] == [RED, GREEN, BLUE]
    box = page.locator("#frame").bounding_box()
    assert box is not None
    assert abs(box["width"] - box["height"]) < 1


def test_rotated_photo_is_shown_upright(page: Page) -> None:
    translated(page)
    choose(page, "contain")
    translated(page, rotated_photo())
    red, green, blue = pixel(page, "#source", 0.5, 0)
    assert red > 240
    assert max(green, blue) < 20
    box = page.locator("#frame").bounding_box()
    assert box is not None
    assert box["height"] > box["width"]
