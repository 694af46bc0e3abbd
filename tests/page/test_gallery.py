"""Test a gallery in a browser: with the mouse, the keyboard, on a phone, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.evaluation.making import draw_data
from tests.gallery.making import train_run
from tests.page.files import opened_file
from tests.tiny_bundle import write_tiny_bundle
from tests.training.command import typed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SCREENS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True},
}
CURRENT = "document.activeElement.ariaLabel"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a gallery of two bundles of one direction and one of the other."""
    folder = tmp_path_factory.mktemp("gallery")
    names = (("old", "cat2dog"), ("new", "cat2dog"), ("new", "dog2cat"))
    bundles = [write_tiny_bundle(folder / age, name) for age, name in names]
    page = folder / "page.html"
    code, _, error = typed("gallery", *bundles, "--data", draw_data(folder / "cat2dog"), "--out", page)
    assert (code, error) == (0, "")
    return page


@pytest.fixture
def gallery(browser: Browser, file: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open the gallery from its file, by default on a desktop; errors and requests fail the test."""
    with opened_file(browser, file, **getattr(request, "param", SCREENS["desktop"])) as page:
        yield page


def names(page: Page) -> list[str]:
    """Return the names of the pictures in the order shown."""
    return page.locator(".rows:visible .source small").all_inner_texts()


def focused(page: Page, label: str) -> None:
    """Wait until a picture whose label begins so has the focus."""
    page.locator(f'button[aria-label^="{label}"]:focus').wait_for()  # the policy forbids wait_for_function


@pytest.mark.parametrize("gallery", SCREENS.values(), ids=SCREENS, indirect=True)
def test_pictures_are_shown_and_the_page_does_not_scroll_sideways(gallery: Page) -> None:
    shown = gallery.locator(".rows img:visible")
    assert shown.count() == 5 * (1 + 2 * 4)  # a heat map lies over a picture
    assert shown.evaluate_all("(all) => all.every((one) => one.naturalWidth === 32)")
    width = gallery.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_header_is_aligned_with_its_pictures(gallery: Page) -> None:
    heads = gallery.locator(".head:visible [data-kind]")
    cells = gallery.locator("[data-row='0']:visible [data-kind]")
    for index in range(6):
        head, cell = heads.nth(index).bounding_box(), cells.nth(index).bounding_box()
        assert head is not None
        assert cell is not None
        assert head["x"] == cell["x"]


def test_header_and_sources_stay_visible_while_the_pictures_scroll(gallery: Page) -> None:
    gallery.set_viewport_size({"width": 900, "height": 500})
    scroller = gallery.locator(".scroller:visible")
    scroller.evaluate("(node) => node.scrollTo(300, 300)")
    frame = scroller.bounding_box()
    head = gallery.locator(".head:visible").first.bounding_box()
    source = gallery.locator(".rows:visible .source").last.bounding_box()
    assert frame is not None
    assert head is not None
    assert source is not None
    assert scroller.evaluate("(node) => [node.scrollLeft > 0, node.scrollTop > 0]") == [True, True]
    assert head["y"] == pytest.approx(frame["y"], abs=2)
    assert source["x"] == pytest.approx(frame["x"], abs=2)


@pytest.mark.parametrize("gallery", [SCREENS["phone"]], ids=["phone"], indirect=True)
def test_controls_are_at_least_44_px_high_on_a_phone(gallery: Page) -> None:
    boxes = [
        one.bounding_box()
        for one in gallery.locator("button:visible, select:visible, .choices span:visible").all()
    ]
    assert min(box["height"] for box in boxes if box) >= 44


def test_pictures_are_sorted_by_cam_probability_with_the_keyboard(gallery: Page) -> None:
    assert names(gallery) == [f"{number}.png" for number in range(5)]
    gallery.get_by_label("Sort by").first.focus()
    gallery.keyboard.press("C")  # a native list: letters choose
    gallery.keyboard.press("C")
    status = gallery.get_by_role("status").first
    status.filter(has_text="Sorted by CAM probability of old-cat2dog, lowest first.").wait_for(
        state="attached"
    )
    notes = gallery.locator(
        ".rows:visible .column:nth-of-type(2) [data-kind=translation] small"
    ).all_inner_texts()
    shares = [float(note.removeprefix("CAM ").removesuffix("%")) for note in notes]
    assert shares == sorted(shares)
    lowest_first = names(gallery)
    gallery.get_by_role("button", name="Lowest first").press("Enter")
    assert names(gallery) == lowest_first[::-1]


def test_sorting_by_cycle_error_begins_with_the_largest(gallery: Page) -> None:
    gallery.get_by_label("Sort by").first.select_option("cycle")
    assert gallery.get_by_role("button", name="Highest first").is_visible()
    assert names(gallery) == [f"{number}.png" for number in range(5)]  # all zero: the order by name


def test_arrow_keys_move_between_pictures_and_enter_enlarges(gallery: Page) -> None:
    gallery.locator(".rows:visible button").first.focus()
    assert gallery.evaluate(CURRENT) == "0.png, source"
    gallery.keyboard.press("ArrowRight")
    gallery.keyboard.press("ArrowDown")
    assert gallery.evaluate(CURRENT).startswith("1.png, old-cat2dog, translation, CAM")
    gallery.keyboard.press("End")
    assert gallery.evaluate(CURRENT).startswith("1.png, new-cat2dog, reconstruction, cycle error 0.000")
    gallery.keyboard.press("Enter")
    viewer = gallery.get_by_role("dialog")
    assert viewer.get_by_role("heading").inner_text() == "1.png · new-cat2dog"
    gallery.keyboard.press("ArrowLeft")
    gallery.keyboard.press("ArrowUp")
    assert viewer.get_by_role("heading").inner_text() == "0.png · new-cat2dog"
    assert (
        viewer.locator("[data-view=cell] figcaption").inner_text().startswith("Generator, whole map, from ")
    )
    gallery.keyboard.press("Escape")
    focused(gallery, "0.png, new-cat2dog, attention")
    assert not viewer.is_visible()


def test_only_one_picture_is_in_the_tab_order(gallery: Page) -> None:
    gallery.get_by_label("Reconstruction").first.focus()
    gallery.keyboard.press("Tab")
    assert gallery.evaluate(CURRENT) == "0.png, source"
    gallery.keyboard.press("Control+End")
    assert gallery.evaluate(CURRENT).startswith("4.png")
    gallery.keyboard.press("Tab")
    assert gallery.evaluate("document.activeElement.closest('.rows')") is None


def test_kinds_of_pictures_can_be_hidden(gallery: Page) -> None:
    gallery.locator(".rows:visible [data-kind=attention] button").first.focus()
    gallery.get_by_label("Attention").first.focus()
    gallery.keyboard.press("Space")
    assert gallery.locator(".rows [data-kind=attention]:visible").count() == 0
    assert gallery.locator(".rows:visible button[tabindex='0']:visible").count() == 1


def test_other_direction_is_shown_on_demand(gallery: Page) -> None:
    gallery.get_by_role("radio", name="dog to cat").check()
    assert len(names(gallery)) == 4
    gallery.locator(".rows:visible [data-kind=translation] button").first.click()
    assert gallery.get_by_role("dialog").get_by_role("heading").inner_text() == "0.png · new-dog2cat"
    gallery.get_by_role("button", name="Next test picture").click()
    assert gallery.get_by_role("dialog").get_by_role("heading").inner_text() == "1.png · new-dog2cat"
    gallery.get_by_role("button", name="Close").click()
    focused(gallery, "1.png, new-dog2cat, translation")


def test_another_heat_map_is_chosen_with_the_keyboard_and_lies_over_the_translation(gallery: Page) -> None:
    cell = gallery.locator(".rows:visible [data-kind=attention]").first
    before = cell.locator("small").inner_text()
    gallery.get_by_label("Heat map").first.focus()
    gallery.keyboard.press("L")  # a native list: letters choose
    cell.get_by_role(
        "button", name="0.png, old-cat2dog, attention, Local discriminator, whole map"
    ).wait_for()
    assert cell.locator("small").inner_text() != before
    below, above = (image.get_attribute("src") for image in cell.locator("img").all())
    translation = gallery.locator(".rows:visible [data-kind=translation] img").first.get_attribute("src")
    assert below == translation != above


def test_enlarged_heat_map_is_beside_the_other_maps_of_its_network(browser: Browser, tmp_path: Path) -> None:
    run, page = train_run(tmp_path), tmp_path / "page.html"
    assert typed("gallery", run, "--data", draw_data(tmp_path / "test"), "--out", page)[0] == 0
    with opened_file(browser, page, viewport={"width": 1280, "height": 900}) as opened:
        opened.get_by_label("Heat map").first.select_option("Generator, max pool's share")
        opened.locator(".rows:visible [data-kind=attention] button").first.click()
        words = opened.get_by_role("dialog").locator("figcaption").all_inner_texts()
        parts = ["max pool's share", "whole map", "average pool's share", "classifier's map"]
        assert words[0] == "source"
        assert [each.split(",")[1].strip() for each in words[1:]] == parts
        opened.keyboard.press("ArrowLeft")  # the translation, which has no parts
        assert opened.get_by_role("dialog").locator("figcaption:visible").count() == 2
