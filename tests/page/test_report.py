"""The report of a run in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.training.told import line, told_run
from training.report.page import draw_page
from training.report.read import read_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


PLACES = {"desk": {}, "night": {"color_scheme": "dark"}, "phone": {"viewport": {"width": 390, "height": 844}}}


@pytest.fixture
def report(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page of a small run, on a desk unless a test says otherwise; its errors fail the test."""
    run = told_run(tmp_path, [line(step) for step in (10, 20, 30, 40)])
    file = tmp_path / "report.html"
    file.write_text(draw_page(read_run(run.path)))
    context = browser.new_context(**getattr(request, "param", {}))
    wrongs: list[Any] = []
    page = context.new_page()
    page.on("pageerror", lambda error: wrongs.append(error))
    page.on("console", lambda told: wrongs.append(told.text))
    page.on("request", lambda asked: asked.url.startswith(("file:", "data:")) or wrongs.append(asked.url))
    page.goto(file.as_uri())
    yield page
    context.close()
    assert wrongs == []


@pytest.mark.parametrize("report", PLACES.values(), ids=PLACES, indirect=True)
def test_every_chart_is_drawn_and_nothing_is_wider_than_the_window(report: Page) -> None:
    plots = report.locator(".plot")
    assert plots.count() > 0
    assert report.locator(".plot:has(path[data-line])").count() == plots.count()
    assert report.locator(".plot path[d*=NaN]").count() == 0
    room = report.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert room[0] <= room[1]


def test_the_samples_of_an_earlier_step_can_be_gone_back_to(report: Page) -> None:
    shown = report.locator("#samples img")
    assert "step 40" in (shown.get_attribute("alt") or "")
    newest = shown.get_attribute("src")
    report.get_by_role("button", name="Earlier step").click()
    assert report.locator("#samples output").inner_text() == "step 20"
    assert shown.get_attribute("src") != newest
    assert report.get_by_role("button", name="Earlier step").is_disabled()
    report.get_by_role("radio", name="B2A, train pictures").check()
    assert shown.get_attribute("alt").startswith("B2A, train pictures, step 20")  # type: ignore[union-attr]


def test_smoothing_is_a_choice_and_the_cursor_tells_the_values_under_it(report: Page) -> None:
    report.get_by_label("Smoothing").first.fill("0")
    cycle = report.locator("figure", has_text="Cycle").first
    assert cycle.locator("path.raw").count() == 0
    assert cycle.locator(".legend b").all_inner_texts() == ["0.025", "0.05"]
    box = cycle.locator(".plot").bounding_box()
    assert box is not None
    cycle.locator(".plot").hover(position={"x": 46, "y": box["height"] / 2})
    report.wait_for_function("document.querySelector('.legend b').textContent === '0.1'")
    assert cycle.locator(".legend b").all_inner_texts() == ["0.1", "0.2"]
