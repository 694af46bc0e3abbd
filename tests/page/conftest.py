"""Fixtures: a Chromium, a fake service, and a page whose errors fail the test.

A module that overrides the fixture `address` runs its tests against another server, such as the real one.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any, Never
from urllib.parse import urlsplit

import pytest

from tests.page.fake_service import FakeService

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
    "--use-fake-device-for-media-stream",  # a camera with a test picture
    "--use-fake-ui-for-media-stream",  # without a permission prompt
]


def _no_browser(reason: str) -> Never:
    if os.environ.get("TESTS_NEED_BROWSER") == "1":
        pytest.fail(f"TESTS_NEED_BROWSER=1, but {reason}")
    pytest.skip(f"the page was not tested: {reason}")


# Per module, not per session: Playwright's sync API keeps an event loop running in this thread, so asyncio
# tests of other modules could not start their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium; skip the tests without one, or fail if TESTS_NEED_BROWSER=1."""
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
def fake_service() -> Iterator[FakeService]:
    """Run the fake service."""
    server = FakeService()
    yield server
    server.close()


@pytest.fixture
def address(fake_service: FakeService) -> str:
    """Return the address of the page."""
    return fake_service.address


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[OpenPage]:
    """Return a function that opens the page with Playwright's context options; its errors fail the test."""
    errors: list[str] = []
    contexts = []

    def watch(page: Page) -> None:
        host = urlsplit(address).netloc
        page.on("pageerror", lambda error: errors.append(f"uncaught: {error}"))
        page.on("console", lambda message: note_console(message.type, message.text))
        page.on("request", lambda request: note_request(request.url, host))
        # Playwright intercepts file choosers from the first listener on; one in a test would be too late.
        page.on("filechooser", lambda _: None)

    def note_console(kind: str, text: str) -> None:
        # Chromium logs this line for every error status, which some tests cause.
        if kind in ("error", "warning") and not text.startswith("Failed to load resource"):
            errors.append(f"console: {text}")

    def note_request(url: str, host: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("blob", "data") and parts.netloc != host:
            errors.append(f"request to another host: {url}")

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
    assert errors == []


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """Open the page in a desktop window."""
    return open_page(viewport={"width": 1280, "height": 900})
