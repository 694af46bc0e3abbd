"""Open a page that is one file in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@contextmanager
def opened_file(browser: Browser, file: Path, **screen: Any) -> Iterator[Page]:
    """Open a file in a new context; its errors and its requests fail the test."""
    context = browser.new_context(**screen)
    errors: list[Any] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(error))
    page.on("console", lambda message: errors.append(message.text))
    page.on("request", lambda call: call.url.startswith(("file:", "data:")) or errors.append(call.url))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert errors == []
