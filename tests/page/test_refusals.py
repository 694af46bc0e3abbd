"""Test how the page shows errors, with their remedies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.fake_service import Answer, direction, problem
from tests.page.photos import pick, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService


@pytest.mark.parametrize(
    ("status", "retryable"),
    [
        (401, False),
        (413, False),
        (415, False),
        (422, False),
        (429, True),
        (500, True),
        (503, True),
        (504, True),
    ],
)
def test_problem_is_shown_with_the_servers_title_and_detail(
    page: Page, fake_service: FakeService, status: int, retryable: bool
) -> None:
    fake_service.instead["/translate"] = problem(
        status, "code", f"Title {status}", f"Because of {status}: do this."
    )
    pick(page)
    alert = page.get_by_role("alert").filter(has_text=f"Title {status}")
    alert.get_by_text(f"Because of {status}: do this.").wait_for()
    assert alert.get_by_text("Request r-17").is_visible()
    assert alert.get_by_role("button", name="Try again").is_visible() == retryable
    assert page.get_by_role("button", name="Another photo").is_visible()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_counted_down_before_the_photo_can_be_sent_again(
    page: Page, fake_service: FakeService, status: int
) -> None:
    fake_service.instead["/translate"] = problem(status, "busy", "Busy", "Come back.", retry_after=1)
    pick(page)
    button = page.get_by_role("button", name="Try again in 1 s")
    button.wait_for()
    assert button.is_disabled()
    fake_service.instead.clear()
    page.get_by_role("button", name="Try again", exact=True).click()
    page.get_by_text("Translated in").wait_for()
    assert page.get_by_text("Come back.").is_hidden()


def test_unreachable_server_is_explained(page: Page) -> None:
    page.context.set_offline(True)
    pick(page)
    page.get_by_text("The server cannot be reached").wait_for()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("Translated in").wait_for()


def test_error_page_of_a_proxy_is_explained(page: Page, fake_service: FakeService) -> None:
    fake_service.instead["/translate"] = Answer(502, "text/html", b"<h1>Bad gateway</h1>")
    pick(page)
    page.get_by_text("The server answered 502").wait_for()


def test_unexpected_answer_is_explained(page: Page, fake_service: FakeService) -> None:
    fake_service.instead["/translate"] = Answer(200, "application/json", b"{}")
    pick(page)
    page.get_by_text("This page made a mistake").wait_for()


def test_new_photo_after_an_error_is_translated(page: Page, fake_service: FakeService) -> None:
    fake_service.instead["/translate"] = problem(
        415, "not_a_picture", "Not a picture", "Send JPEG, PNG or WebP."
    )
    pick(page, {"name": "notes.heic", "mimeType": "image/heic", "buffer": b"ftypheic"})
    page.get_by_text("Send JPEG, PNG or WebP.").wait_for()
    fake_service.instead.clear()
    translated(page)
    assert page.get_by_text("Send JPEG, PNG or WebP.").is_hidden()


def test_directions_can_be_requested_again_after_an_error(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    fake_service.instead["/directions"] = problem(503, "loading", "Still loading", "Wait for the models.")
    page = open_page(ready=False)
    page.get_by_text("Wait for the models.").wait_for()
    fake_service.instead.clear()
    page.get_by_role("button", name="Try again").click()
    page.locator("#directions input:enabled").first.wait_for(state="attached")
    translated(page)


def test_photo_chosen_during_loading_is_translated_when_a_model_is_ready(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    ready = [dict(one) for one in fake_service.directions]
    for one in fake_service.directions:
        one |= {"state": "starting", "source": None, "target": None, "image": None, "attention": None}
    page = open_page(ready=False)
    page.get_by_text("No model is ready yet").wait_for()
    assert page.locator("#directions input").first.is_disabled()
    assert page.get_by_text("selfie2anime (starting)").is_visible()
    pick(page)
    fake_service.directions = ready
    page.get_by_text("Translated in").wait_for()


def test_defunct_model_shows_its_reason(open_page: OpenPage, fake_service: FakeService) -> None:
    fake_service.directions = [
        direction("a2b", "a", "b", state="defunct", reason="Its canary failed: export it again.")
    ]
    page = open_page(ready=False)
    page.get_by_role("heading", name="Its canary failed: export it again.").wait_for()
    assert page.get_by_text("a → b (defunct)").is_visible()


def test_degraded_model_translates_and_shows_its_reason(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    reason = "Its discriminators are given up: the device has no memory left."
    fake_service.directions = [direction("a2b", "a", "b", state="degraded", reason=reason)]
    page = open_page()
    assert page.get_by_text("a → b (degraded)").is_visible()
    pick(page)
    translated(page)
    page.locator("summary", has_text="About the model").click()
    assert page.get_by_text(reason).is_visible()


def test_translation_without_stored_heat_maps_offers_none(page: Page, fake_service: FakeService) -> None:
    fake_service.stores_maps = False
    translated(page)
    assert page.locator("#attention").is_hidden()
    assert fake_service.received("/attention") == []
