"""Live mode: the camera translated continuously."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.page.fake_service import direction, problem, uploaded_picture
from tests.page.photos import choose, pick, pixel

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService

NO_CAMERA = """Object.defineProperty(navigator.mediaDevices, "getUserMedia", {
    value: () => Promise.reject(new DOMException("none", "NotFoundError")),
})"""
HIDE = """() => {
    Object.defineProperty(document, "hidden", {value: true, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def start(page: Page) -> None:
    """Start live mode."""
    page.locator(".dropzone [data-action=live]").click()
    page.locator("main[data-state=live]").wait_for()


def wait_for_rate(page: Page) -> None:
    """Wait until frames are counted."""
    page.locator("#live-rate", has_text=re.compile("[1-9]")).wait_for()


def test_camera_is_translated_frame_by_frame(page: Page, fake_service: FakeService) -> None:
    start(page)
    wait_for_rate(page)
    while len(requests := fake_service.received("/translate")) < 3:
        page.wait_for_timeout(20)
    query = {"direction": "selfie2anime", "face": "none", "keep": "false", "format": "jpeg"}
    assert requests[0].query == query
    assert requests[0].headers["accept"] == "image/jpeg"
    assert uploaded_picture(requests[0]).size == (128, 128)
    assert len(requests[0].body) < 10_000
    shown, translated = (pixel(page, selector, y=0.1) for selector in ("#source", "#frames"))
    assert all(abs(255 - one - other) < 40 for one, other in zip(shown, translated, strict=True))

    page.get_by_label("Heat map over your picture").check()
    count = len(fake_service.received("/translate"))
    page.wait_for_timeout(100)
    while len(fake_service.received("/translate")) < count + 3:
        page.wait_for_timeout(20)
    assert fake_service.received("/translate")[-1].headers["accept"] == "application/json"

    page.locator("#live-stop").click()
    page.locator("main[data-state=empty]").wait_for()
    assert page.evaluate("document.querySelector('#live-video').srcObject") is None
    assert page.evaluate("document.activeElement.dataset.action") == "pick"


def test_one_frame_is_in_flight(page: Page, fake_service: FakeService) -> None:
    fake_service.gate.clear()
    start(page)
    page.wait_for_timeout(300)
    assert len(fake_service.received("/translate")) == 1
    fake_service.gate.set()
    wait_for_rate(page)


def test_busy_service_is_asked_again_after_its_seconds(page: Page, fake_service: FakeService) -> None:
    fake_service.instead["/translate"] = problem(
        503, "queue_full", "The queue is full", "Busy.", retry_after=1
    )
    start(page)
    page.get_by_text("The queue is full. Continues in 1 s.").wait_for()
    del fake_service.instead["/translate"]
    wait_for_rate(page)
    assert page.locator("#live-words").text_content() == ""


def test_refusal_ends_live_mode_with_its_reason(page: Page, fake_service: FakeService) -> None:
    fake_service.instead["/translate"] = problem(
        404, "unknown_direction", "No such direction", "It was removed."
    )
    page.locator(".dropzone [data-action=live]").click()
    page.get_by_text("It was removed.").wait_for()
    assert page.evaluate("document.querySelector('#live-video').srcObject") is None


def test_missing_camera_is_one_sentence(page: Page) -> None:
    page.evaluate(NO_CAMERA)
    page.locator(".dropzone [data-action=live]").click()
    page.get_by_text("No camera was found. Connect one, or choose a photo instead.").wait_for()
    assert page.locator("main").get_attribute("data-state") == "empty"


def test_hidden_page_stops_the_camera(page: Page) -> None:
    start(page)
    page.evaluate(HIDE)
    page.get_by_text("Live mode stopped while the page was hidden.").wait_for()
    assert page.evaluate("document.querySelector('#live-video').srcObject") is None


def test_frame_can_be_taken_as_a_photo(page: Page, fake_service: FakeService) -> None:
    start(page)
    wait_for_rate(page)
    page.locator("#live-photo").click()
    page.locator("main[data-state=result] #translation[src^=blob]").wait_for()
    assert min(uploaded_picture(fake_service.received("/translate")[-1]).size) > 128


def test_direction_changes_the_next_frames(open_page: OpenPage, fake_service: FakeService) -> None:
    fake_service.directions = [
        direction("selfie2anime", "selfie", "anime"),
        direction(
            "plain", "photo", "sketch", attention={"generator": False, "local": False, "global": False}
        ),
    ]
    page = open_page()
    start(page)
    wait_for_rate(page)
    choose(page, "plain")
    page.get_by_label("Heat map over your picture").wait_for(state="hidden")
    while fake_service.received("/translate")[-1].query["direction"] != "plain":
        page.wait_for_timeout(20)
    assert page.locator("#show-translation").text_content() == "sketch"
    pick(page)  # a chosen photo ends live mode
    page.locator("main[data-state=result]").wait_for()
