"""Test the page with a service that requires an API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.photos import pick, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService

KEY = "ugatit_Zm9vYmFy"


def enter_key(page: Page, key: str) -> None:
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Use this key").click()


def test_page_requests_the_key_until_it_is_valid(open_page: OpenPage, fake_service: FakeService) -> None:
    fake_service.key = KEY
    page = open_page(ready=False)
    page.get_by_text("An API key is needed here.").wait_for()
    assert page.get_by_label("API key").get_attribute("type") == "password"
    before = len(fake_service.received("/directions"))
    enter_key(page, "wrong")
    page.wait_for_function("() => document.querySelector('.key input')?.value === ''")
    assert len(fake_service.received("/directions")) == before + 1
    enter_key(page, KEY)
    page.locator("#directions input:enabled").first.wait_for(state="attached")
    assert page.get_by_label("API key").count() == 0
    translated(page)
    page.get_by_role("radio", name="Generator").check()
    page.wait_for_function("() => !document.querySelector('#attention').hasAttribute('aria-busy')")
    for path in ("/translate", "/attention"):
        assert {request.headers["authorization"] for request in fake_service.received(path)} == {
            f"Bearer {KEY}"
        }


def test_key_is_kept_for_a_reload_but_not_for_another_tab(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    fake_service.key = KEY
    page = open_page(ready=False)
    enter_key(page, KEY)
    page.locator("#directions input:enabled").first.wait_for(state="attached")
    page.reload()
    page.locator("#directions input:enabled").first.wait_for(state="attached")
    assert page.evaluate("() => [localStorage.length, document.cookie, location.href.includes('Zm9')]") == [
        0,
        "",
        False,
    ]
    other = page.context.new_page()
    other.goto(fake_service.address)
    other.get_by_text("An API key is needed here.").wait_for()


def test_revoked_key_is_requested_again_and_the_photo_is_kept(page: Page, fake_service: FakeService) -> None:
    fake_service.key = KEY
    pick(page)
    page.get_by_text("An API key is needed here.").wait_for()
    enter_key(page, KEY)
    page.get_by_text("Translated in").wait_for()


def test_service_without_keys_gets_no_authorization_header(page: Page, fake_service: FakeService) -> None:
    translated(page)
    assert page.get_by_label("API key").count() == 0
    assert all("authorization" not in request.headers for request in fake_service.requests)
