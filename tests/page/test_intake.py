"""The ways a photo comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.photos import GREEN, MAGENTA, give, photo, pick, pixel, translated
from tests.page.standin import uploaded_picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.standin import StandIn


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_photo_can_be_dropped_or_pasted(page: Page, stand_in: StandIn, event: str) -> None:
    give(page, event, photo())
    page.get_by_text("Translated in").wait_for()
    assert pixel(page, "#translation") == MAGENTA
    assert uploaded_picture(stand_in.asked("/translate")[0]).size == (300, 200)


@pytest.mark.parametrize(("event", "words"), [("drop", "not a file"), ("paste", "holds no picture")])
def test_bringing_no_picture_is_answered_in_words(
    page: Page, stand_in: StandIn, event: str, words: str
) -> None:
    give(page, event, None)
    toast = page.get_by_text(words)
    toast.wait_for()
    assert stand_in.asked("/translate") == []
    page.get_by_role("button", name="Close this message").click()
    assert toast.is_hidden()


def test_dragging_over_the_page_marks_the_place_to_let_go(page: Page) -> None:
    page.evaluate("dispatchEvent(new DragEvent('dragenter'))")
    assert page.locator("#dropzone").evaluate("(zone) => getComputedStyle(zone).outlineStyle") == "solid"
    page.evaluate("dispatchEvent(new DragEvent('dragleave', {relatedTarget: null}))")
    assert page.locator("#dropzone").evaluate("(zone) => getComputedStyle(zone).outlineStyle") == "none"


def test_the_keyboard_alone_opens_the_file_chooser(page: Page) -> None:
    page.get_by_role("button", name="Choose a photo").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photo())
    page.get_by_text("Translated in").wait_for()
    assert page.evaluate("document.activeElement.id") == "split"


def test_a_second_photo_calls_the_first_one_off(page: Page, stand_in: StandIn) -> None:
    stand_in.gate.clear()
    pick(page, photo("first.png"))
    page.locator("#working", has_text="Translating").wait_for()
    with page.expect_event("requestfailed", lambda request: "translate" in request.url):
        pick(page, photo("second.png"))
    stand_in.gate.set()
    page.get_by_text("Translated in").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the translation").click()
    assert download.value.suggested_filename == "second-selfie2anime.png"


def test_a_photo_is_shown_at_once_while_it_is_being_translated_and_can_be_stopped(
    page: Page, stand_in: StandIn
) -> None:
    stand_in.gate.clear()
    pick(page)
    page.locator("#working", has_text="Translating selfie to anime").wait_for()
    page.locator("#source:not([width='1'])").wait_for()
    assert pixel(page, "#source") == GREEN
    assert page.locator("#frame").get_attribute("aria-busy") == "true"
    with page.expect_event("requestfailed", lambda request: "translate" in request.url):
        page.get_by_role("button", name="Stop").click()
    assert page.get_by_role("button", name="Choose a photo").is_visible()


def test_the_camera_takes_a_square_photo_and_is_switched_off(page: Page, stand_in: StandIn) -> None:
    page.get_by_role("button", name="Take a photo").first.click()
    page.get_by_role("button", name="Take the photo").click()
    page.get_by_text("Translated in").wait_for()
    width, height = uploaded_picture(stand_in.asked("/translate")[0]).size
    assert width == height > 100
    assert page.locator("#camera").is_hidden()
    assert page.evaluate("document.getElementById('viewfinder').srcObject") is None


REFUSED = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{}'))"
NOT_SECURE = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined})"


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        (REFUSED.format("NotFoundError"), "No camera was found"),
        (REFUSED.format("NotAllowedError"), "not allowed to use the camera"),
        (REFUSED.format("NotReadableError"), "in use by another program"),
        (NOT_SECURE, "localhost or over HTTPS"),
    ],
)
def test_a_missing_camera_is_explained(page: Page, lack: str, words: str) -> None:
    page.evaluate(f"() => {{ {lack} }}")
    page.get_by_role("button", name="Take a photo").first.click()
    page.get_by_role("alert").get_by_text(words).wait_for()
    translated(page)
    assert page.locator("#toast").is_hidden()


def test_a_phone_opens_its_own_camera(open_page: OpenPage) -> None:
    phone = open_page(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    with phone.expect_file_chooser() as chooser:
        phone.get_by_role("button", name="Take a photo").first.tap()
    assert chooser.value.element.get_attribute("capture") == "user"
    chooser.value.set_files(photo("IMG_1.png"))
    phone.get_by_text("Translated in").wait_for()
