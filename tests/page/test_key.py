"""A service that wants an API key: the page asks for it, and keeps it no longer than its tab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.photos import pick, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.standin import StandIn

KEY = "ugatit_Zm9vYmFy"


def give(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Use this key").click()


def test_the_page_asks_for_the_key_until_it_is_good_and_then_works_as_ever(
    open_page: OpenPage, stand_in: StandIn
) -> None:
    stand_in.key = KEY
    page = open_page(ready=False)
    page.get_by_text("An API key is needed here.").wait_for()
    assert page.get_by_label("API key").get_attribute("type") == "password"
    asked = len(stand_in.asked("/directions"))
    give(page, "wrong")
    page.wait_for_function("() => document.querySelector('.key input')?.value === ''")
    assert len(stand_in.asked("/directions")) == asked + 1
    give(page, KEY)
    page.locator("#directions input:enabled").first.wait_for(state="attached")
    assert page.get_by_label("API key").count() == 0
    translated(page)
    page.get_by_role("radio", name="Generator").check()
    page.wait_for_function("() => !document.querySelector('#attention').hasAttribute('aria-busy')")
    for path in ("/translate", "/attention"):
        assert {request.headers["authorization"] for request in stand_in.asked(path)} == {f"Bearer {KEY}"}


def test_the_key_survives_a_reload_and_not_the_tab(open_page: OpenPage, stand_in: StandIn) -> None:
    stand_in.key = KEY
    page = open_page(ready=False)
    give(page, KEY)
    page.locator("#directions input:enabled").first.wait_for(state="attached")
    page.reload()
    page.locator("#directions input:enabled").first.wait_for(state="attached")
    assert page.evaluate("() => [localStorage.length, document.cookie, location.href.includes('Zm9')]") == [
        0,
        "",
        False,
    ]
    other = page.context.new_page()
    other.goto(stand_in.address)
    other.get_by_text("An API key is needed here.").wait_for()


def test_a_key_that_is_withdrawn_is_asked_for_again_and_the_photo_is_still_there(
    page: Page, stand_in: StandIn
) -> None:
    stand_in.key = KEY
    pick(page)
    page.get_by_text("An API key is needed here.").wait_for()
    give(page, KEY)
    page.get_by_text("Translated in").wait_for()


def test_without_keys_none_is_asked_for_and_none_is_sent(page: Page, stand_in: StandIn) -> None:
    translated(page)
    assert page.get_by_label("API key").count() == 0
    assert all("authorization" not in request.headers for request in stand_in.requests)
