"""Several photos at once: translated in turn, each with its own state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.fake_service import problem, uploaded_picture
from tests.page.photos import choose, photo, stripes

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Locator, Page

    from tests.page.fake_service import FakeService


def photos(count: int) -> list[FilePayload]:
    """Return photos of different widths: 300, 310, 320 px, and so on."""
    return [photo(f"{number}.png", stripes().resize((300 + 10 * number, 200))) for number in range(count)]


def thumbnails(page: Page) -> Locator:
    """Return the buttons of the strip."""
    return page.locator(".thumbnail")


def states(page: Page) -> list[str]:
    """Return the state of every photo."""
    found: list[str] = thumbnails(page).evaluate_all("(all) => all.map((one) => one.dataset.state)")
    return found


def widths(fake_service: FakeService) -> list[int]:
    """Return the widths of the photos that were sent, in their order."""
    return [uploaded_picture(request).width for request in fake_service.received("/translate")]


def test_photos_are_translated_in_turn_and_one_is_shown_large(page: Page, fake_service: FakeService) -> None:
    fake_service.gate.clear()
    page.set_input_files("#file", photos(3))
    page.locator("#working", has_text="Translating").wait_for()
    assert states(page) == ["working", "waiting", "waiting"]
    assert page.get_by_text("0 of 3 photos are translated.").is_visible()
    thumbnails(page).nth(2).click()
    page.locator("#working", has_text="Waiting for its turn").wait_for()
    fake_service.gate.set()
    page.get_by_text("3 of 3 photos are translated.").wait_for()
    assert widths(fake_service) == [300, 320, 310]  # the shown one before the others
    third = thumbnails(page).nth(2)
    assert third.get_attribute("aria-current") == "true"
    assert third.get_attribute("aria-label") == "Photo 3 of 3, 2.png, is translated"
    thumbnails(page).nth(1).focus()
    page.keyboard.press("Enter")
    page.get_by_text("Translated in").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the translation").click()
    assert download.value.suggested_filename == "1-selfie2anime.png"
    assert len(fake_service.received("/translate")) == 3  # a shown result is not computed again

    names = []
    page.on("download", lambda saved: names.append(saved.suggested_filename))
    page.get_by_role("button", name="Download all").click()
    while len(names) < 3:
        page.wait_for_timeout(20)
    assert names == [f"{number}-selfie2anime.png" for number in range(3)]

    choose(page, "contain")  # for all of them, the shown one first
    while len(fake_service.received("/translate")) < 6:
        page.wait_for_timeout(20)
    assert widths(fake_service)[3:] == [310, 300, 320]
    page.get_by_text("3 of 3 photos are translated.").wait_for()


def test_one_photo_has_no_strip(page: Page) -> None:
    page.set_input_files("#file", photos(1))
    page.get_by_text("Translated in").wait_for()
    assert page.locator("#strip").is_hidden()


def test_photo_that_fails_leaves_the_others(page: Page, fake_service: FakeService) -> None:
    files = photos(3)
    files[1] = {"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#file", files)
    page.get_by_text("2 of 3 photos are translated.").wait_for()
    assert states(page) == ["done", "failed", "done"]
    assert page.locator("main").get_attribute("data-state") == "result"
    thumbnails(page).nth(1).click()
    page.locator("main[data-state=error]").wait_for()
    assert page.get_by_role("alert").get_by_text("The server cannot be reached").is_visible()
    thumbnails(page).nth(2).click()
    page.locator("main[data-state=result]").wait_for()


def test_busy_service_is_asked_again_for_each_photo(page: Page, fake_service: FakeService) -> None:
    fake_service.instead["/translate"] = problem(503, "queue_full", "Full", "Busy.", retry_after=1)
    page.set_input_files("#file", photos(2))
    while not fake_service.received("/translate"):
        page.wait_for_timeout(20)
    del fake_service.instead["/translate"]
    page.get_by_text("2 of 2 photos are translated.").wait_for()


def test_more_photos_than_the_page_takes_are_named(page: Page, fake_service: FakeService) -> None:
    fake_service.gate.clear()
    page.set_input_files("#file", photos(18))
    page.get_by_text("At most 16 photos at once: the first 16 of 18 were taken.").wait_for()
    assert thumbnails(page).count() == 16
    page.get_by_role("button", name="Stop").click()
    page.locator("main[data-state=empty]").wait_for()
    assert page.locator("#strip").is_hidden()
    fake_service.gate.set()
