"""Test the ways to choose a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.fake_service import uploaded_picture
from tests.page.photos import GREEN, MAGENTA, photo, pick, pixel, transfer, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_dropped_or_pasted_photo_is_translated(page: Page, fake_service: FakeService, event: str) -> None:
    transfer(page, event, photo())
    page.get_by_text("Translated in").wait_for()
    assert pixel(page, "#translation") == MAGENTA
    assert uploaded_picture(fake_service.received("/translate")[0]).size == (300, 200)


@pytest.mark.parametrize(("event", "words"), [("drop", "not a file"), ("paste", "contains no picture")])
def test_drop_or_paste_without_a_file_is_explained(
    page: Page, fake_service: FakeService, event: str, words: str
) -> None:
    transfer(page, event, None)
    toast = page.get_by_text(words)
    toast.wait_for()
    assert fake_service.received("/translate") == []
    page.get_by_role("button", name="Close this message").click()
    assert toast.is_hidden()


def test_dragging_highlights_the_drop_zone(page: Page) -> None:
    page.evaluate("dispatchEvent(new DragEvent('dragenter'))")
    assert page.locator("#dropzone").evaluate("(zone) => getComputedStyle(zone).outlineStyle") == "solid"
    page.evaluate("dispatchEvent(new DragEvent('dragleave', {relatedTarget: null}))")
    assert page.locator("#dropzone").evaluate("(zone) => getComputedStyle(zone).outlineStyle") == "none"


def test_keyboard_opens_the_file_chooser(page: Page) -> None:
    page.get_by_role("button", name="Choose a photo").focus()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(photo())
    page.get_by_text("Translated in").wait_for()
    assert page.evaluate("document.activeElement.id") == "split"


def test_second_photo_cancels_the_first(page: Page, fake_service: FakeService) -> None:
    fake_service.gate.clear()
    pick(page, photo("first.png"))
    page.locator("#working", has_text="Translating").wait_for()
    with page.expect_event("requestfailed", lambda request: "translate" in request.url):
        pick(page, photo("second.png"))
    fake_service.gate.set()
    page.get_by_text("Translated in").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the translation").click()
    assert download.value.suggested_filename == "second-selfie2anime.png"


def test_photo_is_shown_during_the_translation_which_can_be_stopped(
    page: Page, fake_service: FakeService
) -> None:
    fake_service.gate.clear()
    pick(page)
    page.locator("#working", has_text="Translating selfie to anime").wait_for()
    page.locator("#source:not([width='1'])").wait_for()
    assert pixel(page, "#source") == GREEN
    assert page.locator("#frame").get_attribute("aria-busy") == "true"
    with page.expect_event("requestfailed", lambda request: "translate" in request.url):
        page.get_by_role("button", name="Stop").click()
    assert page.get_by_role("button", name="Choose a photo").is_visible()


def test_camera_takes_a_square_photo_and_is_switched_off(page: Page, fake_service: FakeService) -> None:
    page.get_by_role("button", name="Take a photo").first.click()
    page.get_by_role("button", name="Take the photo").click()
    page.get_by_text("Translated in").wait_for()
    width, height = uploaded_picture(fake_service.received("/translate")[0]).size
    assert width == height > 100
    assert page.locator("#camera").is_hidden()
    assert page.evaluate("document.getElementById('viewfinder').srcObject") is None


REFUSED = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', '{}'))"
NOT_SECURE = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined})"


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (REFUSED.format("NotFoundError"), "No camera was found"),
        (REFUSED.format("NotAllowedError"), "not allowed to use the camera"),
        (REFUSED.format("NotReadableError"), "in use by another program"),
        (NOT_SECURE, "localhost or over HTTPS"),
    ],
)
def test_unavailable_camera_is_explained(page: Page, script: str, words: str) -> None:
    page.evaluate(f"() => {{ {script} }}")
    page.get_by_role("button", name="Take a photo").first.click()
    page.get_by_role("alert").get_by_text(words).wait_for()
    translated(page)
    assert page.locator("#toast").is_hidden()


def test_phone_opens_its_camera_app(open_page: OpenPage) -> None:
    phone = open_page(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    with phone.expect_file_chooser() as chooser:
        phone.get_by_role("button", name="Take a photo").first.tap()
    assert chooser.value.element.get_attribute("capture") == "user"
    chooser.value.set_files(photo("IMG_1.png"))
    phone.get_by_text("Translated in").wait_for()
