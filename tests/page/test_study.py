"""Test a study's page in a browser: mouse, keyboard, phone, resuming, errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.http.server.server import open_socket, url_of
from app.http.study.app import study_server
from app.settings.settings import Settings
from app.study.database import reading_database
from app.study.study import Study
from tests.page.test_accessibility import contrast, overflow
from tests.study.making import open_study

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.page.conftest import OpenPage

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(tmp_path, pictures=2)


@pytest.fixture
def address(study: Study) -> Iterator[str]:
    """Serve the study; the fixtures of other pages use this address."""
    listening = open_socket("127.0.0.1", 0)
    server = study_server(Settings(), study)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    yield url_of(listening)
    server.stop()
    thread.join(60)
    assert not thread.is_alive(), "the server did not stop"


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page(ready=False, viewport={"width": 1280, "height": 800})


def begin(page: Page) -> Page:
    page.get_by_role("button", name="Begin", exact=True).click()
    return shown(page, 1)


def shown(page: Page, number: int) -> Page:
    """Wait until a picture and all of its images are shown."""
    page.get_by_text(f"Picture {number} of 2").wait_for()
    page.locator("#choices[aria-busy=false]").wait_for()
    return page


def votes(folder: Path) -> list[tuple[int, int]]:
    with reading_database(folder / "study.db") as database:
        return [(vote.participant, vote.picture) for vote in database.votes()]


def test_participant_chooses_with_the_mouse_and_is_thanked(page: Page, tmp_path: Path) -> None:
    page.get_by_text("You will see 2 pictures, each with 3 translations from cat to dog.").wait_for()
    begin(page)
    assert page.locator(".choice img").evaluate_all("(all) => all.every((one) => one.naturalWidth === 32)")
    page.get_by_role("button", name="Translation 2").click()
    shown(page, 2).get_by_role("button", name="Translation 1").click()
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert page.get_by_text("You have chosen for all 2 pictures.").is_visible()
    assert sorted(votes(tmp_path)) == [(1, 0), (1, 1)]


def test_participant_chooses_with_the_keyboard_alone(page: Page, tmp_path: Path) -> None:
    page.locator("#begin").wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    shown(page, 1).keyboard.press("3")
    shown(page, 2).keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.ariaLabel") == "Translation 2"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you!").wait_for()
    assert len(votes(tmp_path)) == 2


def test_link_continues_on_another_device(page: Page, browser: Browser) -> None:
    begin(page).get_by_role("button", name="Translation 1").click()
    link = shown(page, 2).get_by_label("Your link").input_value()
    before = page.locator("#source").get_attribute("src")
    context = browser.new_context()
    other = context.new_page()
    other.goto(link)
    shown(other, 2)
    assert other.locator("#source").get_attribute("src") == before
    context.close()


def test_back_shows_the_choice_and_lets_it_change(page: Page, study: Study) -> None:
    begin(page).keyboard.press("1")
    shown(page, 2).get_by_role("button", name="Back").click()
    shown(page, 1)
    assert page.locator("[aria-pressed=true]").get_attribute("data-choice") == "1"
    page.keyboard.press("2")
    shown(page, 2)
    token = page.evaluate("location.hash.slice(1)")
    assert study.chosen(token, 1) == 2
    assert study.progress(token).votes == 1


def test_progress_is_shown_and_announced(page: Page) -> None:
    begin(page).keyboard.press("1")
    bar = shown(page, 2).get_by_role("progressbar", name="Picture 2 of 2")
    assert (bar.get_attribute("aria-valuenow"), bar.get_attribute("aria-valuemax")) == ("1", "2")
    assert page.get_by_role("status").inner_text() == "Translation 1 chosen."


def test_link_of_no_participant_offers_to_begin(page: Page, address: str) -> None:
    page.locator("#begin").wait_for()
    page.goto(f"{address}/#{'x' * 22}")
    page.get_by_text("This link belongs to no participant of this study").wait_for()
    page.get_by_role("button", name="Begin as a new participant").click()
    begin(page)


def test_lost_connection_can_be_repeated_without_losing_the_choice(page: Page, tmp_path: Path) -> None:
    begin(page).route("**/vote", lambda route: route.abort())
    page.keyboard.press("1")
    page.get_by_text("The study cannot be reached; check your connection.").wait_for()
    assert votes(tmp_path) == []
    page.unroute("**/vote")
    page.get_by_role("button", name="Try again").click()
    shown(page, 2)
    assert len(votes(tmp_path)) == 1


def test_phone_fits_without_scrolling_sideways_and_buttons_are_large(open_page: OpenPage) -> None:
    phone = open_page(ready=False, **PHONE)
    assert overflow(phone) == 0
    begin(phone)
    assert overflow(phone) == 0
    boxes: list[Any] = [one.bounding_box() for one in phone.locator("button:visible").all()]
    assert min(box["height"] for box in boxes) >= 44
    widths = phone.locator(".board img").evaluate_all("(all) => all.map((one) => one.clientWidth)")
    assert min(widths) > 80


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_in_light_and_dark(open_page: OpenPage, scheme: str) -> None:
    page = begin(open_page(ready=False, color_scheme=scheme))
    for selector in ("#question", "#count", ".choice b", "#keys", "#copy"):
        assert contrast(page, selector) >= 4.5, selector


def test_three_choices_are_in_one_row_on_a_desktop(page: Page) -> None:
    begin(page)
    tops = page.locator(".choice").evaluate_all("(all) => all.map((one) => one.getBoundingClientRect().top)")
    assert len(set(tops)) == 1
    assert page.evaluate("document.querySelector('.board').getBoundingClientRect().bottom <= innerHeight")


@pytest.mark.parametrize(("works", "label"), [(True, "Copied"), (False, "Not copied")])
def test_link_is_reported_as_copied_only_if_it_was(page: Page, *, works: bool, label: str) -> None:
    begin(page)
    page.evaluate(
        """(works) => {
            Object.defineProperty(navigator, "clipboard", { value: undefined });
            document.execCommand = (command) => works && command === "copy";
        }""",
        works,
    )
    page.locator("#copy").click()
    page.locator("#copy").get_by_text(label, exact=True).wait_for()
