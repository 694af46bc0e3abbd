"""The row of styles: chosen by a seed or by a reference picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.fake_service import STYLES, problem
from tests.page.photos import choose, photo

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService


def labels(page: Page) -> list[str]:
    """Return the styles that are shown."""
    found: list[str] = page.locator(".style").evaluate_all("(all) => all.map((one) => one.ariaLabel)")
    return found


def current(page: Page) -> list[str]:
    """Return the styles that are marked as the chosen one."""
    found: list[str] = page.locator(".style[aria-current=true]").evaluate_all(
        "(all) => all.map((one) => one.ariaLabel)"
    )
    return found


def test_style_is_chosen_in_a_row_or_by_a_picture(open_page: OpenPage, fake_service: FakeService) -> None:
    without, plain = [{**each, "attention": {"generator": False}} for each in fake_service.directions]
    fake_service.directions = [{**without, "method": "munit", "styles": STYLES}, plain]
    page = open_page()
    page.set_input_files("#file", [photo("cat.png")])
    page.get_by_role("button", name="Style 3").wait_for()
    assert labels(page) == [f"Style {seed}" for seed in range(4)]
    assert current(page) == ["Style 0"]
    row = fake_service.received("/translate")[-1].query
    assert (row["style"], row["styles"], row["keep"]) == ("0", "4", "false")

    page.get_by_role("button", name="More styles").click()
    page.get_by_role("button", name="Style 7").click()
    page.get_by_text("Style 7.").wait_for()
    assert current(page) == ["Style 7"]
    assert len(labels(page)) == 8  # the row stays
    assert fake_service.received("/translate")[-1].query["style"] == "7"

    page.set_input_files("#reference", [photo("dog.png")])
    page.get_by_text("In the style of dog.png.").wait_for()
    assert current(page) == []
    sent = fake_service.received("/translate")[-1]
    assert b'name="reference"' in sent.body
    assert "style" not in sent.query

    fake_service.instead["/translate"] = problem(503, "queue_full", "Queue full", "Try again later.", 1)
    page.get_by_role("button", name="More styles").click()
    page.get_by_text("More styles could not be made. Try again later.").wait_for()
    del fake_service.instead["/translate"]

    choose(page, "anime2selfie")
    page.locator("#styles").wait_for(state="hidden")
    assert "style" not in fake_service.received("/translate")[-1].query
