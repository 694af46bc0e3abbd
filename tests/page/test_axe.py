"""axe-core finds no violation in any state of the page, on any screen, in light and dark."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from tests.page.fake_service import STYLES, found_face
from tests.page.photos import choose, photo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True},
}
RUN = """async () => (await axe.run({resultTypes: ["violations"]})).violations
    .map(({id, help, nodes}) => `${id}: ${help}: ${nodes.map(({html}) => html.slice(0, 120)).join(" | ")}`)"""


def states(page: Page, service: FakeService) -> Iterator[str]:
    """Bring the page into each of its states, and yield the state's name."""
    yield "empty"
    page.locator(".dropzone [data-action=live]").click()
    page.locator("main[data-state=live]").wait_for()
    yield "live"
    page.locator("#live-stop").click()
    service.gate.clear()
    broken = {"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture"}
    page.set_input_files("#file", [photo(), photo("other.png"), broken])
    page.locator("#working", has_text="Translating").wait_for()
    yield "busy"
    service.gate.set()
    page.get_by_text("2 of 3 photos are translated.").wait_for()
    choose(page, "generator")
    page.locator("#heat[src^=blob]").wait_for()
    page.locator("#about summary").click()
    page.get_by_role("button", name="Style 3").wait_for()
    page.get_by_role("button", name="Translate it back").click()
    page.get_by_text("on average").wait_for()
    yield "result"
    page.locator(".thumbnail").nth(2).click()
    page.locator("main[data-state=error]").wait_for()
    yield "error"
    page.locator(".thumbnail").first.click()
    page.locator("main[data-state=result]").wait_for()
    choose(page, "hand")
    page.locator("main[data-state=framing]").wait_for()
    yield "framing"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", SCREENS)
def test_axe_finds_no_violation(
    open_page: OpenPage, fake_service: FakeService, screen: str, scheme: str
) -> None:
    there, back = fake_service.directions
    fake_service.directions = [{**there, "framing": "face", "styles": STYLES}, back]
    fake_service.faces = [found_face(200, 20, 100), found_face(20, 50, 60)]
    page = open_page(color_scheme=scheme, **SCREENS[screen])
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text())
    found = {state: page.evaluate(RUN) for state in states(page, fake_service)}
    assert {state: violations for state, violations in found.items() if violations} == {}
    assert list(found) == ["empty", "live", "busy", "result", "error", "framing"]
