"""A real Chromium, a stand-in for the service, and a page that watches itself.

`address` is where a test's page is found: a module of tests that overrides this one fixture runs against
another server, the real one say.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Never
from urllib.parse import urlsplit

import pytest

from tests.page.standin import StandIn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

    OpenPage = Callable[..., Page]

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",  # a camera that shows a test picture
    "--use-fake-ui-for-media-stream",  # and is granted without asking
]


def _no_browser(reason: str) -> Never:
    if os.environ.get("UGATIT_TESTS_NEED_BROWSER") == "1":
        pytest.fail(f"UGATIT_TESTS_NEED_BROWSER=1, but {reason}")
    pytest.skip(f"THE PAGE WAS NOT TESTED: {reason}")


# Per module, not per session: while Playwright's sync API runs, its thread has a running event loop, and
# asyncio tests elsewhere could not start theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        _no_browser("playwright is not installed; install the dev extra.")
    program = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if program is None:
        _no_browser("no Chromium was found; install your system's chromium package.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    yield server
    server.close()


@pytest.fixture
def address(stand_in: StandIn) -> str:
    return stand_in.address


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Opens the page with Playwright's context options; whatever it did wrong fails the test at its end."""
    wrongs: list[str] = []
    contexts = []

    def watch(page: Page) -> None:
        host = urlsplit(address).netloc
        page.on("pageerror", lambda error: wrongs.append(f"uncaught: {error}"))
        page.on("console", lambda told: note_console(told.type, told.text))
        page.on("request", lambda asked: note_request(asked.url, host))
        # From its first listener on, Playwright takes file choosers over; a test's own would come too late.
        page.on("filechooser", lambda _: None)

    def note_console(kind: str, text: str) -> None:
        # Chromium itself writes this line for a refusal, which the tests of refusals provoke.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            wrongs.append(f"console: {text}")

    def note_request(url: str, host: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and parts.netloc != host:
            wrongs.append(f"asked another host: {url}")

    def open_with(*, query: str = "", ready: bool = True, **options: Any) -> Page:
        context = browser.new_context(**({"reduced_motion": "reduce"} | options))
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        watch(page)
        page.goto(address + query)
        if ready:
            page.locator("#directions input:enabled").first.wait_for(state="attached")
        return page

    yield open_with
    for context in contexts:
        context.close()
    assert wrongs == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page(viewport={"width": 1280, "height": 900})
