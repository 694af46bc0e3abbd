"""What a person does with a translation: its size, sharing it, and what to expect of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.page.photos import choose, photo, stripes, translated
from tests.page.standin import direction

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    from tests.page.conftest import OpenPage
    from tests.page.standin import StandIn


def large() -> FilePayload:
    return photo(picture=stripes().resize((1600, 1200)))


def asked_size(stand_in: StandIn) -> str | None:
    return stand_in.asked("/translate")[-1].query.get("size")


def test_a_large_photo_comes_back_at_a_useful_size_and_the_page_says_which(
    page: Page, stand_in: StandIn
) -> None:
    translated(page, large())
    assert asked_size(stand_in) == "1024"
    assert page.get_by_text(
        "1024 × 1024 px, JPEG. Enlarged from the 128 px that this model paints."
    ).is_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the translation").click()
    assert download.value.suggested_filename == "holiday-selfie2anime.jpg"


def test_a_whole_photo_offers_every_size_up_to_its_own(page: Page, stand_in: StandIn) -> None:
    translated(page, large())
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
    assert asked_size(stand_in) is None
    assert page.get_by_text("Enlarged from").is_hidden()


def test_a_chosen_size_holds_for_the_next_photo_as_far_as_that_goes(page: Page, stand_in: StandIn) -> None:
    translated(page, large())
    with page.expect_response(lambda answer: "size=512" in answer.url):
        page.get_by_label("Size", exact=True).select_option("512")
    page.get_by_text("512 × 512 px, PNG.").wait_for()
    translated(page)
    assert asked_size(stand_in) == "200"  # the centre square of 300 x 200
    translated(page, large())
    assert asked_size(stand_in) == "512"


def test_a_photo_no_larger_than_the_network_offers_no_choice(page: Page, stand_in: StandIn) -> None:
    translated(page, photo(picture=stripes().resize((100, 90))))
    assert page.locator("#size-row").is_hidden()
    assert asked_size(stand_in) is None


CAN_SHARE = """() => {
    navigator.canShare = ({files}) => files.length === 1;
    navigator.share = async ({files, title}) => { window.shared = [files[0].name, files[0].type, title]; };
}"""
REFUSES = "() => { navigator.share = () => Promise.reject(new DOMException('', '%s')); }"


def test_a_picture_is_shared_where_the_browser_can(page: Page) -> None:
    page.evaluate(CAN_SHARE)
    translated(page)
    page.get_by_role("button", name="Share").click()
    page.wait_for_function("window.shared")
    assert page.evaluate("window.shared") == [
        "holiday-selfie2anime.png",
        "image/png",
        "Selfie in. Anime out.",
    ]


def test_without_a_way_to_share_there_is_no_button(page: Page) -> None:
    page.evaluate("() => { navigator.canShare = undefined; }")
    translated(page)
    assert page.locator("#share").is_hidden()


def test_a_share_that_is_refused_says_what_else_helps_and_one_that_is_called_off_says_nothing(
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


def test_who_has_no_photo_can_try_a_sample(page: Page, stand_in: StandIn) -> None:
    page.get_by_role("button", name="Try a sample face").click()
    page.get_by_text("Translated in").wait_for()
    assert len(stand_in.asked("/translate")) == 1
    assert page.get_by_text("Sample face: BaseMax/FakeFaces, GPL-3.0, people who do not exist").is_visible()


def test_a_sample_that_does_not_come_is_said_in_words(page: Page) -> None:
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
def test_what_to_expect_stands_beside_the_result(
    open_page: OpenPage, stand_in: StandIn, changes: dict[str, object], words: str
) -> None:
    stand_in.directions = [direction("a2b", "a", "b", **changes)]
    page = translated(open_page())
    assert page.locator("#expectations").inner_text() == words
    page.locator("#result").get_by_role("link", name="Model card").click()
    assert page.locator("#about").get_attribute("open") is not None
