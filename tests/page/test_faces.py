"""Test what the page does with faces: which it asks for, which can be clicked, and what it says."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.page.fake_service import FACE_IN_FRAME, direction, found_face, problem, uploaded_file
from tests.page.photos import photo, pick, stripes, translated

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService

TWO = [found_face(200, 20, 100), found_face(20, 50, 60)]


@pytest.fixture
def page(open_page: OpenPage, fake_service: FakeService) -> Page:
    """Open the page with a direction of faces and one of pictures."""
    fake_service.directions = [
        direction("selfie2anime", "selfie", "anime", framing="face"),
        direction("horse2zebra", "horse", "zebra", framing="picture"),
    ]
    fake_service.faces = TWO[:1]
    return open_page(viewport={"width": 1280, "height": 900})


def last(fake_service: FakeService) -> dict[str, str]:
    """Return the options of the last translation."""
    return fake_service.received("/translate")[-1].query


def large_photo() -> FilePayload:
    """Return a photo of 3000 x 2000 px."""
    return photo(picture=stripes().resize((3000, 2000)))


def press(page: Page, value: str) -> None:
    """Choose a framing and wait for its translation."""
    with page.expect_response(lambda answer: "/translate" in answer.url):
        page.locator(f"label:has(input[name=fit][value={value}])").click()
    page.get_by_text("Translated in").wait_for()


def test_faces_are_searched_by_default_for_a_direction_of_faces_only(
    page: Page, fake_service: FakeService
) -> None:
    translated(page)
    assert last(fake_service)["face"] == "auto"
    assert page.locator("input[name=fit][value=face]").is_checked()
    with page.expect_response(lambda answer: "/translate" in answer.url):
        page.locator("label:has(input[value=horse2zebra])").click()
    assert last(fake_service)["face"] == "none"
    assert page.get_by_text("All faces").is_hidden()


def test_a_clicked_face_is_translated(page: Page, fake_service: FakeService) -> None:
    fake_service.faces = TWO
    translated(page)
    assert page.get_by_text("2 faces were found; choose another one under Framing.").is_visible()
    assert page.get_by_label("Face 1").get_attribute("aria-pressed") == "true"
    with page.expect_response(lambda answer: "face=at" in answer.url):
        page.get_by_label("Face 2").click()
    options = last(fake_service)
    assert (options["x"], options["y"]) == ("50", "80")
    assert page.get_by_text("The face that you chose.").is_visible()


def test_a_chosen_face_is_forgotten_with_the_next_photo(page: Page, fake_service: FakeService) -> None:
    fake_service.faces = TWO
    translated(page)
    with page.expect_response(lambda answer: "face=at" in answer.url):
        page.get_by_label("Face 2").click()
    page.get_by_text("Translated in").wait_for()
    with page.expect_response(lambda answer: "/translate" in answer.url):
        pick(page)
    assert last(fake_service)["face"] == "auto"


def test_one_face_needs_no_choice(page: Page) -> None:
    translated(page)
    assert page.locator("#face-map").is_hidden()
    assert page.get_by_text("The photo suits the network well.").is_visible()


def test_a_whole_photo_is_sent_and_shown_at_its_own_size(page: Page, fake_service: FakeService) -> None:
    translated(page, large_photo())
    with page.expect_response(lambda answer: "paste=true" in answer.url):
        page.get_by_label("Put it back into the whole photo").check()
    page.get_by_text("3000 × 2000 px, JPEG.").wait_for()
    sent = Image.open(io.BytesIO(uploaded_file(fake_service.received("/translate")[-1])))
    assert sent.size == (3000, 2000)
    assert last(fake_service)["face"] == "auto"
    assert page.locator("#size-row").is_hidden()
    ratio = page.evaluate("getComputedStyle(document.getElementById('frame')).getPropertyValue('--ratio')")
    assert float(ratio) == pytest.approx(1.5)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the whole photo").click()
    with Image.open(download.value.path()) as saved:
        assert saved.size == (3000, 2000)


def test_all_faces_are_put_back(page: Page, fake_service: FakeService) -> None:
    fake_service.faces = TWO
    translated(page)
    press(page, "faces")
    assert (last(fake_service)["face"], last(fake_service)["paste"]) == ("all", "true")
    assert page.get_by_text("All 2 faces were translated.").is_visible()
    assert page.locator("#paste-row").is_hidden()


def test_photo_is_translated_at_its_own_shape_where_the_network_takes_any(
    page: Page, fake_service: FakeService
) -> None:
    translated(page)
    press(page, "native")
    options = last(fake_service)
    assert (options["fit"], options["face"], options["format"]) == ("native", "none", "jpeg")
    assert "size" not in options
    assert page.locator("#size-row").is_hidden()
    fixed = {"height": 128, "width": 128, "fixed": True}
    fake_service.directions = [direction("a2b", "a", "b", framing="face", image=fixed)]
    page.reload()
    page.locator("#directions input:enabled").wait_for(state="attached")
    translated(page)
    assert page.locator("label:has(input[value=native])").is_hidden()


def test_the_page_says_that_no_face_was_found(page: Page, fake_service: FakeService) -> None:
    fake_service.faces = []
    fake_service.input = {"sharpness": 0.9, "face": None}
    translated(page)
    assert page.get_by_text("No face was found, so the centre was translated.").is_visible()


def test_without_the_needed_face_the_centre_is_offered(page: Page, fake_service: FakeService) -> None:
    translated(page)
    fake_service.instead["/translate"] = problem(422, "no_face", "No face found", "Use face=none.")
    with page.expect_response(lambda answer: "face=all" in answer.url):
        page.locator("label:has(input[name=fit][value=faces])").click()
    page.get_by_text("No face found").wait_for()
    assert page.get_by_text("face=none").is_hidden()
    del fake_service.instead["/translate"]
    page.get_by_role("button", name="Translate the centre").click()
    page.get_by_text("Translated in").wait_for()
    assert (last(fake_service)["face"], last(fake_service)["fit"]) == ("none", "cover")


@pytest.mark.parametrize(
    ("changes", "sharpness", "words"),
    [
        ({"height": 0.33}, 0.9, "Your face fills a third of the frame: move closer."),
        ({"height": 0.33, "pixels": 50.4}, 0.9, "Your face is only 50 pixels high: move closer"),
        ({"turned_degrees": -24.6}, 0.9, "Your head is tilted by 25°: hold it straight."),
        ({}, 0.2, "Your face is blurred: hold still, and use more light."),
    ],
)
def test_the_page_says_what_would_help(
    page: Page, fake_service: FakeService, changes: dict[str, float], sharpness: float, words: str
) -> None:
    fake_service.input = {"sharpness": sharpness, "face": FACE_IN_FRAME | changes}
    translated(page)
    assert page.get_by_text(words).is_visible()
    assert page.get_by_text("suits the network well").is_hidden()


def test_a_face_that_is_cut_off_is_named(page: Page, fake_service: FakeService) -> None:
    fake_service.faces = [found_face(260, 20, 100)]
    translated(page)
    assert page.get_by_text("Your face is cut off: keep it inside the photo.").is_visible()


def test_the_shown_part_of_the_photo_is_the_translated_one(page: Page) -> None:
    translated(page)
    size = page.evaluate(
        "[document.getElementById('source').width, document.getElementById('source').height]"
    )
    assert size == [200, 200]  # the square of the 300 x 200 px photo that the answer names
