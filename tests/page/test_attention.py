"""Where the networks looked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.photos import choose, pixel, seam, translated
from tests.page.standin import HEAT_COLOURS, direction, problem

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.standin import StandIn

SIDES = {"generator": 64, "local": 65, "global": 66}  # the stand-in's heat maps are told apart by their size


def show_heat(page: Page, network: str) -> None:
    choose(page, network)
    page.locator(f"#attention:not([aria-busy]) input[value={network}]").wait_for(state="attached")
    page.locator("#heat[src^=blob]").wait_for()


def heat_width(page: Page) -> int:
    return int(
        page.locator("#heat").evaluate("async (image) => { await image.decode(); return image.naturalWidth }")
    )


@pytest.mark.parametrize(("network", "place"), [("generator", 100), ("local", 0), ("global", 0)])
def test_each_networks_map_lies_over_the_picture_it_looked_at(page: Page, network: str, place: int) -> None:
    translated(page)
    show_heat(page, network)
    assert heat_width(page) == SIDES[network]
    assert seam(page) == place
    words = page.locator("#attention-words").inner_text()
    assert network in words
    assert ("over the photo" in words) == (network == "generator")


def test_another_colour_map_is_fetched_once_and_shown_with_its_legend(page: Page, stand_in: StandIn) -> None:
    translated(page)
    show_heat(page, "generator")
    for colours in ("viridis", "jet", "viridis"):
        page.get_by_label("Colours").select_option(colours)
        page.locator(f"#attention:not([aria-busy]) [data-colormap={colours}]").wait_for()
        assert pixel(page, "#heat") == HEAT_COLOURS[colours]
    asked = [request.query for request in stand_in.asked("/attention")]
    assert [query["colormap"] for query in asked] == ["jet", "viridis"]
    assert all(query["view"] == "heatmap" for query in asked)


def test_opacity_is_blended_in_the_browser(page: Page, stand_in: StandIn) -> None:
    translated(page)
    show_heat(page, "generator")
    slider = page.get_by_label("Opacity")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert page.locator("#heat").evaluate("(heat) => getComputedStyle(heat).opacity") == "0.6"
    assert page.locator("#opacity-value").inner_text() == "60 %"
    assert len(stand_in.asked("/attention")) == 1


def test_the_overlay_is_saved_as_it_is_looked_at(page: Page, stand_in: StandIn) -> None:
    translated(page)
    show_heat(page, "local")
    page.get_by_label("Colours").select_option("inferno")
    page.get_by_label("Opacity").fill("30")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the overlay").click()
    assert download.value.suggested_filename == "holiday-selfie2anime-attention-local.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    query = stand_in.asked("/attention")[-1].query
    wanted = {
        "network": "local",
        "view": "overlay",
        "base": "translation",
        "colormap": "inferno",
        "alpha": "0.3",
    }
    assert query.items() >= wanted.items()


def test_the_saved_files_bytes_are_the_servers(page: Page, stand_in: StandIn) -> None:
    translated(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the translation").click()
    assert Path(download.value.path()).read_bytes() == stand_in.translation


def test_off_takes_the_heat_map_away_and_asks_nothing(page: Page, stand_in: StandIn) -> None:
    translated(page)
    assert stand_in.asked("/attention") == []
    show_heat(page, "global")
    choose(page, "off")
    page.locator("#heat").wait_for(state="hidden")
    assert page.get_by_label("Opacity").is_hidden()


def test_a_chosen_network_stays_chosen_for_the_next_photo(page: Page) -> None:
    translated(page)
    show_heat(page, "global")
    translated(page)
    page.locator("#heat[src^=blob]").wait_for()
    assert heat_width(page) == SIDES["global"]


def test_only_the_maps_a_model_has_are_offered(open_page: OpenPage, stand_in: StandIn) -> None:
    maps = {"generator": True, "local": False, "global": False}
    stand_in.directions = [direction("selfie2anime", "selfie", "anime", attention=maps)]
    page = translated(open_page())
    assert page.locator("#networks span").all_inner_texts() == ["Off", "Generator"]


def test_a_model_without_attention_shows_neither_maps_nor_probability(
    open_page: OpenPage, stand_in: StandIn
) -> None:
    maps = {"generator": False, "local": False, "global": False}
    stand_in.directions = [direction("selfie2anime", "selfie", "anime", attention=maps)]
    page = translated(open_page())
    assert page.locator("#attention").is_hidden()
    assert page.locator("#belief").is_hidden()
    assert page.get_by_role("button", name="Download the translation").is_visible()


@pytest.mark.parametrize(
    ("probability", "figure", "words"),
    [
        (0.976, "98 % selfie", "How sure"),
        (0.9996, "over 99 % selfie", "How sure"),
        (0.12, "12 % selfie", "surprises"),
    ],
)
def test_the_probability_is_explained(
    page: Page, stand_in: StandIn, probability: float, figure: str, words: str
) -> None:
    stand_in.probability = probability
    translated(page)
    assert page.locator("#probability").inner_text() == figure
    assert words in page.locator("#belief-words").inner_text()


def test_an_unknown_probability_is_not_shown(page: Page, stand_in: StandIn) -> None:
    stand_in.probability = None
    translated(page)
    assert page.locator("#belief").is_hidden()
    assert page.locator("#attention").is_visible()


def test_expired_attention_is_said_in_words_and_a_new_translation_brings_it_back(
    page: Page, stand_in: StandIn
) -> None:
    translated(page)
    show_heat(page, "generator")
    stand_in.instead["/attention"] = problem(
        404, "attention_gone", "Gone", "Its attention is no longer kept."
    )
    choose(page, "local")
    page.get_by_text("Its attention is no longer kept.").wait_for()
    assert page.locator("#heat").is_hidden()
    assert page.locator("#translation").is_visible()
    stand_in.instead.clear()
    page.get_by_role("button", name="Translate again").click()
    page.locator("#heat[src^=blob]").wait_for()
    assert heat_width(page) == SIDES["local"]
    assert page.get_by_text("no longer kept").is_hidden()
