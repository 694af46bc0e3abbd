"""What goes wrong is said in words, in the page, with what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.photos import pick, translated
from tests.page.standin import Answer, direction, problem

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.standin import StandIn


@pytest.mark.parametrize(
    ("status", "again"),
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
def test_a_refusal_is_shown_in_the_servers_words(
    page: Page, stand_in: StandIn, status: int, again: bool
) -> None:
    stand_in.instead["/translate"] = problem(
        status, "code", f"Title {status}", f"Because of {status}: do this."
    )
    pick(page)
    alert = page.get_by_role("alert").filter(has_text=f"Title {status}")
    alert.get_by_text(f"Because of {status}: do this.").wait_for()
    assert alert.get_by_text("Request r-17").is_visible()
    assert alert.get_by_role("button", name="Try again").is_visible() == again
    assert page.get_by_role("button", name="Another photo").is_visible()


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_counted_down_and_then_the_same_photo_can_be_sent_again(
    page: Page, stand_in: StandIn, status: int
) -> None:
    stand_in.instead["/translate"] = problem(status, "busy", "Busy", "Come back.", retry_after=1)
    pick(page)
    waiting = page.get_by_role("button", name="Try again in 1 s")
    waiting.wait_for()
    assert waiting.is_disabled()
    stand_in.instead.clear()
    page.get_by_role("button", name="Try again", exact=True).click()
    page.get_by_text("Translated in").wait_for()
    assert page.get_by_text("Come back.").is_hidden()


def test_a_server_that_cannot_be_reached_is_said_in_words(page: Page) -> None:
    page.context.set_offline(True)
    pick(page)
    page.get_by_text("The server cannot be reached").wait_for()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    page.get_by_text("Translated in").wait_for()


def test_a_proxys_own_error_page_is_said_in_words(page: Page, stand_in: StandIn) -> None:
    stand_in.instead["/translate"] = Answer(502, "text/html", b"<h1>Bad gateway</h1>")
    pick(page)
    page.get_by_text("The server answered 502").wait_for()


def test_an_answer_that_is_no_picture_is_said_in_words(page: Page, stand_in: StandIn) -> None:
    stand_in.instead["/translate"] = Answer(200, "application/json", b"{}")
    pick(page)
    page.get_by_text("This page made a mistake").wait_for()


def test_a_new_photo_after_a_refusal_is_translated(page: Page, stand_in: StandIn) -> None:
    stand_in.instead["/translate"] = problem(415, "not_a_picture", "Not a picture", "Send JPEG, PNG or WebP.")
    pick(page, {"name": "notes.heic", "mimeType": "image/heic", "buffer": b"ftypheic"})
    page.get_by_text("Send JPEG, PNG or WebP.").wait_for()
    stand_in.instead.clear()
    translated(page)
    assert page.get_by_text("Send JPEG, PNG or WebP.").is_hidden()


def test_directions_that_do_not_come_can_be_asked_for_again(open_page: OpenPage, stand_in: StandIn) -> None:
    stand_in.instead["/directions"] = problem(503, "loading", "Still loading", "Wait for the models.")
    page = open_page(ready=False)
    page.get_by_text("Wait for the models.").wait_for()
    stand_in.instead.clear()
    page.get_by_role("button", name="Try again").click()
    page.locator("#directions input:enabled").first.wait_for(state="attached")
    translated(page)


def test_a_photo_brought_while_the_models_load_is_translated_once_they_are_ready(
    open_page: OpenPage, stand_in: StandIn
) -> None:
    ready = [dict(one) for one in stand_in.directions]
    for one in stand_in.directions:
        one |= {"state": "starting", "source": None, "target": None, "image": None, "attention": None}
    page = open_page(ready=False)
    page.get_by_text("No model is ready yet").wait_for()
    assert page.locator("#directions input").first.is_disabled()
    assert page.get_by_text("selfie2anime (starting)").is_visible()
    pick(page)
    stand_in.directions = ready
    page.get_by_text("Translated in").wait_for()


def test_a_model_out_of_order_says_why(open_page: OpenPage, stand_in: StandIn) -> None:
    stand_in.directions = [
        direction("a2b", "a", "b", state="defunct", reason="Its canary failed: export it again.")
    ]
    page = open_page(ready=False)
    page.get_by_role("heading", name="Its canary failed: export it again.").wait_for()
    assert page.get_by_text("a → b (defunct)").is_visible()


def test_a_degraded_model_translates_and_says_what_is_wrong(open_page: OpenPage, stand_in: StandIn) -> None:
    reason = "Its discriminators are given up: the device has no memory left."
    stand_in.directions = [direction("a2b", "a", "b", state="degraded", reason=reason)]
    page = open_page()
    assert page.get_by_text("a → b (degraded)").is_visible()
    pick(page)
    translated(page)
    page.locator("summary", has_text="About the model").click()
    assert page.get_by_text(reason).is_visible()


def test_a_translation_that_was_not_kept_is_shown_without_maps_to_choose_from(
    page: Page, stand_in: StandIn
) -> None:
    stand_in.keeps = False
    translated(page)
    assert page.locator("#attention").is_hidden()
    assert stand_in.asked("/attention") == []
