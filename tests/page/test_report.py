"""Test the report of a run in a browser."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.files import opened_file
from tests.training.recorded_run import line, write_run
from training.report.page import draw_page
from training.report.read import read_run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


SCREENS = {
    "desktop": {},
    "dark": {"color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}


@pytest.fixture
def report(browser: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open the report of a small run, by default on a desktop; its errors fail the test."""
    run = write_run(tmp_path, [line(step) for step in (10, 20, 30, 40)])
    file = tmp_path / "report.html"
    file.write_text(draw_page(read_run(run.path)))
    with opened_file(browser, file, **getattr(request, "param", {})) as page:
        yield page


@pytest.mark.parametrize("report", SCREENS.values(), ids=SCREENS, indirect=True)
def test_every_chart_is_drawn_and_nothing_overflows(report: Page) -> None:
    plots = report.locator(".plot")
    assert plots.count() > 0
    assert report.locator(".plot:has(path[data-line])").count() == plots.count()
    assert report.locator(".plot path[d*=NaN]").count() == 0
    width = report.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_samples_of_an_earlier_step_can_be_shown(report: Page) -> None:
    shown = report.locator("#samples img")
    assert "step 40" in (shown.get_attribute("alt") or "")
    newest = shown.get_attribute("src")
    report.get_by_role("button", name="Earlier step").click()
    assert report.locator("#samples output").inner_text() == "step 20"
    assert shown.get_attribute("src") != newest
    assert report.get_by_role("button", name="Earlier step").is_disabled()
    report.get_by_role("radio", name="B2A, train pictures").check()
    assert shown.get_attribute("alt").startswith("B2A, train pictures, step 20")  # type: ignore[union-attr]


def test_smoothing_can_be_changed_and_the_cursor_shows_values(report: Page) -> None:
    report.get_by_label("Smoothing").first.fill("0")
    cycle = report.locator("figure", has_text="Cycle").first
    assert cycle.locator("path.raw").count() == 0
    assert cycle.locator(".legend b").all_inner_texts() == ["0.025", "0.05"]
    box = cycle.locator(".plot").bounding_box()
    assert box is not None
    cycle.locator(".plot").hover(position={"x": 46, "y": box["height"] / 2})
    report.locator(".legend b").first.filter(has_text=re.compile("^0.1$")).wait_for()
    assert cycle.locator(".legend b").all_inner_texts() == ["0.1", "0.2"]


def test_the_parts_of_the_heat_maps_can_be_chosen_after_the_pictures(
    browser: Browser, tmp_path: Path
) -> None:
    run = write_run(tmp_path, [line(step) for step in (10, 20, 30, 40)])
    shutil.copy(run.samples / "00000040-A2B-test.jpg", run.samples / "00000040-A2B-local.jpg")
    file = tmp_path / "report.html"
    file.write_text(draw_page(read_run(run.path)))
    with opened_file(browser, file) as page:
        assert page.get_by_role("radio").first.get_attribute("value") == "0"
        assert page.locator("#samples .choices span").all_inner_texts()[0] == "A2B, test pictures"
        page.get_by_role("radio", name="A2B, local discriminator's attention").check()
        alt = page.locator("#samples img").get_attribute("alt") or ""
        assert alt.startswith("A2B, local discriminator's attention, step 40")


def test_a_run_without_sheets_of_the_parts_says_so(report: Page) -> None:
    assert (
        "the version that trained this run did not draw them yet" in report.locator("#samples").inner_text()
    )
