"""The way back: a translation is translated back by the opposite direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.page.fake_service import STYLES, found_face, problem
from tests.page.photos import choose, photo, translated

if TYPE_CHECKING:
    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService


def test_translation_is_translated_back_with_its_distance_in_words(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    there, back = fake_service.directions
    fake_service.directions = [{**there, "framing": "face", "styles": STYLES}, back]
    fake_service.faces = [found_face(200, 20, 100), found_face(20, 50, 60)]
    page = translated(open_page())
    button = page.get_by_role("button", name="Translate it back")
    page.get_by_role("button", name="Style 3").click()
    page.get_by_text("Style 3.").wait_for()
    choose(page, "faces")
    page.get_by_role("button", name="Download the whole photo").wait_for()

    fake_service.instead["/translate"] = problem(503, "queue_full", "Queue full", "Try again later.", 1)
    button.click()
    page.get_by_text("It could not be translated back. Try again later.").wait_for()
    del fake_service.instead["/translate"]

    button.focus()
    page.keyboard.press("Enter")
    page.get_by_text("it differs from your photo by 5.0 % on average (12.8 of 255 levels)").wait_for()
    shown = page.get_by_role("img", name="Your photo, translated to anime and back to selfie")
    assert shown.evaluate("(img) => img.decode().then(() => img.naturalWidth)") == 128
    assert shown.evaluate("(img) => document.activeElement === img")
    assert button.is_hidden()
    query = fake_service.received("/translate")[-1].query
    assert (query["cycle"], query["keep"], query["style"]) == ("true", "false", "3")
    assert query["face"] == "largest"  # of several faces only one is translated back
    assert "paste" not in query

    translated(page, photo("next.png"))
    assert button.is_visible()
    assert shown.is_hidden()


def test_way_back_is_not_offered_without_the_opposite_direction(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    there, back = fake_service.directions
    for others in ([], [{**back, "state": "defunct"}], [{**back, "name": "anime2selfie-v2"}]):
        fake_service.directions = [there, *others]
        page = translated(open_page())
        assert page.locator("#attention").is_visible()
        assert page.locator("#way-back").is_hidden()
