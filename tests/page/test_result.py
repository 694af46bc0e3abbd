"""Test what the page offers with a translation: size, sharing, expectations, the sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.fake_service import direction
from tests.page.photos import choose, photo, stripes, translated

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService


def large_photo() -> FilePayload:
    """Return a photo of 1600 x 1200 px."""
    return photo(picture=stripes().resize((1600, 1200)))


def requested_size(fake_service: FakeService) -> str | None:
    """Return the option `size` of the last translation."""
    return fake_service.received("/translate")[-1].query.get("size")


def test_large_photo_gets_1024_px_and_the_page_says_so(page: Page, fake_service: FakeService) -> None:
    translated(page, large_photo())
    assert requested_size(fake_service) == "1024"
    assert page.get_by_text(
        "1024 × 1024 px, JPEG. Enlarged from the 128 px that this model paints."
    ).is_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the translation").click()
    assert download.value.suggested_filename == "holiday-selfie2anime.jpg"


def test_sizes_are_offered_up_to_the_photos_own(page: Page, fake_service: FakeService) -> None:
    translated(page, large_photo())
    with page.expect_response(lambda answer: "fit=contain" in answer.url):
        choose(page, "contain")
    page.get_by_text("1024 × 768 px, JPEG.").wait_for()
    sizes = page.get_by_label("Size", exact=True)
    assert sizes.locator("option").all_inner_texts() == [
        "128 px, the model's own",
        "512 px",
        "1024 px",
        "1600 px, as your photo",
    ]
    sizes.select_option("1600")
    page.get_by_text("1600 × 1200 px, JPEG.").wait_for()
    sizes.select_option("128")
    page.get_by_text("128 × 96 px, PNG.").wait_for()
    assert requested_size(fake_service) is None
    assert page.get_by_text("Enlarged from").is_hidden()


def test_chosen_size_is_kept_for_the_next_photo_if_possible(page: Page, fake_service: FakeService) -> None:
    translated(page, large_photo())
    with page.expect_response(lambda answer: "size=512" in answer.url):
        page.get_by_label("Size", exact=True).select_option("512")
    page.get_by_text("512 × 512 px, PNG.").wait_for()
    translated(page)
    assert requested_size(fake_service) == "200"  # the centre square of 300 x 200
    translated(page, large_photo())
    assert requested_size(fake_service) == "512"


def test_photo_smaller_than_the_network_has_no_choice_of_size(page: Page, fake_service: FakeService) -> None:
    translated(page, photo(picture=stripes().resize((100, 90))))
    assert page.locator("#size-row").is_hidden()
    assert requested_size(fake_service) is None


CAN_SHARE = """() => {
    navigator.canShare = ({files}) => files.length === 1;
    navigator.share = async ({files, title}) => { window.shared = [files[0].name, files[0].type, title]; };
}"""
REFUSES = "() => { navigator.share = () => Promise.reject(new DOMException('', '%s')); }"


def test_picture_is_shared_if_the_browser_can(page: Page) -> None:
    page.evaluate(CAN_SHARE)
    translated(page)
    page.get_by_role("button", name="Share").click()
    page.wait_for_function("window.shared")
    assert page.evaluate("window.shared") == [
        "holiday-selfie2anime.png",
        "image/png",
        "Selfie in. Anime out.",
    ]


def test_share_button_is_hidden_if_the_browser_cannot_share(page: Page) -> None:
    page.evaluate("() => { navigator.canShare = undefined; }")
    translated(page)
    assert page.locator("#share").is_hidden()


def test_refused_share_is_explained_and_a_cancelled_one_is_not(
    page: Page,
) -> None:
    page.evaluate(CAN_SHARE)
    page.evaluate(REFUSES % "AbortError")
    translated(page)
    page.get_by_role("button", name="Share").click()
    assert page.locator("#toast").is_hidden()
    page.evaluate(REFUSES % "NotAllowedError")
    page.get_by_role("button", name="Share").click()
    page.get_by_text("could not be shared (NotAllowedError). Download it instead.").wait_for()


def test_sample_face_is_translated(page: Page, fake_service: FakeService) -> None:
    page.get_by_role("button", name="Try a sample face").click()
    page.get_by_text("Translated in").wait_for()
    assert len(fake_service.received("/translate")) == 1
    assert page.get_by_text("Sample face: BaseMax/FakeFaces, GPL-3.0, people who do not exist").is_visible()


def test_sample_that_cannot_be_loaded_is_explained(page: Page) -> None:
    page.context.set_offline(True)
    page.get_by_role("button", name="Try a sample face").click()
    page.get_by_text("The sample could not be loaded.").wait_for()


CARD = """# a2b

Translates a picture of the domain *a* into the domain *b*.

| | |
| --- | --- |
| size | 128 px |

Centred faces that fill the
square; odd eyes are common. Trained for 92 minutes.

Data: many."""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"card": CARD, "limits": "not for judging people"},
            "This is a small model: it paints 128 × 128 px. Centred faces that fill the square; odd eyes are "
            "common. Limits: not for judging people.",
        ),
        (
            {"card": "", "limits": "no people", "image": {"height": 256, "width": 256, "fixed": False}},
            "Limits: no people.",
        ),
        ({"card": None, "limits": ""}, "This is a small model: it paints 128 × 128 px."),
    ],
)
def test_expectations_are_shown_beside_the_result(
    open_page: OpenPage, fake_service: FakeService, changes: dict[str, object], words: str
) -> None:
    fake_service.directions = [direction("a2b", "a", "b", **changes)]
    page = translated(open_page())
    assert page.locator("#expectations").inner_text() == words
    page.locator("#result").get_by_role("link", name="Model card").click()
    assert page.locator("#about").get_attribute("open") is not None
