"""Source and translation under one seam, framed as the network saw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.photos import BLUE, GREEN, MAGENTA, RED, choose, lying_photo, pixel, seam, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.standin import StandIn


def test_the_arrow_keys_move_the_seam(page: Page) -> None:
    translated(page)
    slider = page.get_by_role("slider", name="Before and after")
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert seam(page) == 52
    assert slider.get_attribute("aria-valuetext") == "52 % selfie, 48 % anime"
    page.keyboard.press("Home")
    assert seam(page) == 0


def test_dragging_moves_the_seam_and_hides_the_translation_left_of_it(page: Page) -> None:
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


def test_the_labels_show_the_whole_photo_or_the_whole_translation(page: Page) -> None:
    translated(page)
    page.get_by_role("button", name="anime", exact=True).click()
    assert seam(page) == 0
    page.get_by_role("button", name="selfie", exact=True).click()
    assert seam(page) == 100


def test_the_source_is_framed_as_its_centre_square(page: Page) -> None:
    translated(page)
    assert [pixel(page, "#source", x) for x in (0, 0.5, 1)] == [GREEN] * 3
    assert pixel(page, "#translation") == MAGENTA
    box = page.locator("#frame").bounding_box()
    assert box is not None
    assert abs(box["width"] - box["height"]) < 1


def test_the_whole_photo_can_be_asked_for(page: Page, stand_in: StandIn) -> None:
    translated(page)
    choose(page, "contain")
    page.get_by_text("Translated in").wait_for()
    assert stand_in.asked("/translate")[-1].query["fit"] == "contain"
    assert [pixel(page, "#source", x) for x in (0, 0.5, 1)] == [RED, GREEN, BLUE]
    box = page.locator("#frame").bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 1.5) < 0.02


def test_the_photo_can_be_stretched(page: Page, stand_in: StandIn) -> None:
    translated(page)
    choose(page, "stretch")
    page.get_by_text("Translated in").wait_for()
    assert stand_in.asked("/translate")[-1].query["fit"] == "stretch"
    assert [pixel(page, "#source", x) for x in (0, 0.5, 1)] == [RED, GREEN, BLUE]
    box = page.locator("#frame").bounding_box()
    assert box is not None
    assert abs(box["width"] - box["height"]) < 1


def test_a_photo_that_was_stored_lying_stands_upright(page: Page) -> None:
    translated(page)
    choose(page, "contain")
    translated(page, lying_photo())
    red, green, blue = pixel(page, "#source", 0.5, 0)
    assert red > 240
    assert max(green, blue) < 20
    box = page.locator("#frame").bounding_box()
    assert box is not None
    assert box["height"] > box["width"]
