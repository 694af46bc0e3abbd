"""Test the panel of heat maps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.fake_service import HEAT_COLOURS, direction, heat_maps, problem
from tests.page.photos import choose, pixel, seam, translated

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.page.conftest import OpenPage
    from tests.page.fake_service import FakeService

SIDES = {"generator": 64, "local": 65, "global": 66}  # the fake service's heat maps differ in size


def show_heat(page: Page, network: str) -> None:
    """Choose a network and wait for its heat map."""
    choose(page, network)
    page.locator(f"#attention:not([aria-busy]) input[value={network}]").wait_for(state="attached")
    page.locator("#heat[src^=blob]").wait_for()


def heat_width(page: Page) -> int:
    """Return the width of the shown heat map in pixels."""
    return int(
        page.locator("#heat").evaluate("async (image) => { await image.decode(); return image.naturalWidth }")
    )


@pytest.mark.parametrize(("network", "position"), [("generator", 100), ("local", 0), ("global", 0)])
def test_heat_map_is_shown_over_the_input_of_its_network(page: Page, network: str, position: int) -> None:
    translated(page)
    show_heat(page, network)
    assert heat_width(page) == SIDES[network]
    assert seam(page) == position
    words = page.locator("#attention-words").inner_text()
    assert network in words
    assert ("over the photo" in words) == (network == "generator")


def test_each_colour_map_is_fetched_once_and_has_its_legend(page: Page, fake_service: FakeService) -> None:
    translated(page)
    show_heat(page, "generator")
    for colours in ("viridis", "jet", "viridis"):
        page.get_by_label("Colours").select_option(colours)
        page.locator(f"#attention:not([aria-busy]) [data-colormap={colours}]").wait_for()
        assert pixel(page, "#heat") == HEAT_COLOURS[colours]
    queries = [request.query for request in fake_service.received("/attention")]
    assert [query["colormap"] for query in queries] == ["jet", "viridis"]
    assert all(query["view"] == "heatmap" for query in queries)


def show_part(page: Page, part: str) -> None:
    """Choose a part and wait for its heat map."""
    choose(page, part)
    page.locator(f"#attention:not([aria-busy]) input[value={part}]:checked").wait_for(state="attached")


def test_parts_of_a_networks_map_are_requested_and_kept_for_other_networks(
    page: Page, fake_service: FakeService
) -> None:
    translated(page)
    assert page.locator("#parts").is_hidden()
    show_heat(page, "generator")
    assert page.locator("#parts span").all_inner_texts() == ["Whole", "Average", "Maximum", "Classifier"]
    show_part(page, "average")
    assert "average pooling" in page.locator("#attention-words").inner_text()
    show_heat(page, "local")
    assert page.locator("#parts input:checked").input_value() == "average"
    queries = [request.query for request in fake_service.received("/attention")]
    assert [(query["network"], query["part"]) for query in queries] == [
        ("generator", "both"),
        ("generator", "average"),
        ("local", "average"),
    ]


@pytest.mark.parametrize(
    ("part", "low", "high", "zero"),
    [
        ("both", "0", "1230", None),
        ("average", "−0.5", "1.5", 0.25),
        ("maximum", "2", "everywhere", None),
        ("classifier", "−3", "−1", None),
    ],
)
def test_legend_has_the_values_of_the_shown_map(
    page: Page, part: str, low: str, high: str, zero: float | None
) -> None:
    translated(page)
    show_heat(page, "generator")
    show_part(page, part)
    assert page.locator("#legend-low").inner_text() == low
    assert page.locator("#legend-high").inner_text() == high
    assert (page.locator("#legend[data-signed]").count() == 1) == (zero is not None)
    if zero is not None:
        assert page.locator("#legend").evaluate("(bar) => bar.style.getPropertyValue('--zero')") == str(zero)


def test_model_without_parts_says_so_and_shows_whole_maps(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    fake_service.directions = [
        direction("selfie2anime", "selfie", "anime", maps=heat_maps("both")),
        direction("anime2selfie", "anime", "selfie"),
    ]
    page = translated(open_page())
    sentence = page.get_by_text("exported with whole heat maps only")
    assert sentence.is_hidden()
    show_heat(page, "generator")
    assert sentence.is_visible()
    assert page.locator("#parts").is_hidden()
    assert fake_service.received("/attention")[-1].query["part"] == "both"


def test_older_replica_behind_a_newer_page_still_shows_its_whole_maps(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    older = direction("selfie2anime", "selfie", "anime")
    del older["maps"]
    fake_service.directions = [older]
    fake_service.sends_ranges = False
    page = translated(open_page())
    show_heat(page, "local")
    assert page.locator("#legend-low").inner_text() == "less"
    assert page.locator("#legend-high").inner_text() == "more"
    assert page.locator("#parts").is_hidden()


def test_downloaded_overlay_of_a_part_has_a_legend_and_names_the_part(
    page: Page, fake_service: FakeService
) -> None:
    translated(page)
    show_heat(page, "global")
    show_part(page, "classifier")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the overlay").click()
    assert download.value.suggested_filename == "holiday-selfie2anime-attention-global-classifier.png"
    query = fake_service.received("/attention")[-1].query
    assert query.items() >= {"part": "classifier", "legend": "true"}.items()


def test_opacity_changes_without_a_request(page: Page, fake_service: FakeService) -> None:
    translated(page)
    show_heat(page, "generator")
    slider = page.get_by_label("Opacity")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert page.locator("#heat").evaluate("(heat) => getComputedStyle(heat).opacity") == "0.6"
    assert page.locator("#opacity-value").inner_text() == "60 %"
    assert len(fake_service.received("/attention")) == 1


def test_downloaded_overlay_has_the_chosen_options(page: Page, fake_service: FakeService) -> None:
    translated(page)
    show_heat(page, "local")
    page.get_by_label("Colours").select_option("inferno")
    page.get_by_label("Opacity").fill("30")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the overlay").click()
    assert download.value.suggested_filename == "holiday-selfie2anime-attention-local.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")
    query = fake_service.received("/attention")[-1].query
    wanted = {
        "network": "local",
        "view": "overlay",
        "base": "translation",
        "colormap": "inferno",
        "alpha": "0.3",
    }
    assert query.items() >= wanted.items()


def test_downloaded_translation_has_the_servers_bytes(page: Page, fake_service: FakeService) -> None:
    translated(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the translation").click()
    assert Path(download.value.path()).read_bytes() == fake_service.translation


def test_off_hides_the_heat_map_without_a_request(page: Page, fake_service: FakeService) -> None:
    translated(page)
    assert fake_service.received("/attention") == []
    show_heat(page, "global")
    choose(page, "off")
    page.locator("#heat").wait_for(state="hidden")
    assert page.get_by_label("Opacity").is_hidden()


def test_chosen_network_is_kept_for_the_next_photo(page: Page) -> None:
    translated(page)
    show_heat(page, "global")
    translated(page)
    page.locator("#heat[src^=blob]").wait_for()
    assert heat_width(page) == SIDES["global"]


def test_only_the_models_maps_are_offered(open_page: OpenPage, fake_service: FakeService) -> None:
    maps = {"generator": True, "local": False, "global": False}
    fake_service.directions = [direction("selfie2anime", "selfie", "anime", attention=maps)]
    page = translated(open_page())
    assert page.locator("#networks span").all_inner_texts() == ["Off", "Generator"]


def test_model_without_attention_shows_neither_maps_nor_probability(
    open_page: OpenPage, fake_service: FakeService
) -> None:
    maps = {"generator": False, "local": False, "global": False}
    fake_service.directions = [direction("selfie2anime", "selfie", "anime", attention=maps)]
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
def test_probability_is_explained(
    page: Page, fake_service: FakeService, probability: float, figure: str, words: str
) -> None:
    fake_service.probability = probability
    translated(page)
    assert page.locator("#probability").inner_text() == figure
    assert words in page.locator("#belief-words").inner_text()


def test_unknown_probability_is_not_shown(page: Page, fake_service: FakeService) -> None:
    fake_service.probability = None
    translated(page)
    assert page.locator("#belief").is_hidden()
    assert page.locator("#attention").is_visible()


def test_expired_heat_map_is_explained_and_a_new_translation_restores_it(
    page: Page, fake_service: FakeService
) -> None:
    translated(page)
    show_heat(page, "generator")
    fake_service.instead["/attention"] = problem(404, "attention_gone", "Gone", "The heat maps have expired.")
    choose(page, "local")
    page.get_by_text("The heat maps have expired.").wait_for()
    assert page.locator("#heat").is_hidden()
    assert page.locator("#translation").is_visible()
    fake_service.instead.clear()
    page.get_by_role("button", name="Translate again").click()
    page.locator("#heat[src^=blob]").wait_for()
    assert heat_width(page) == SIDES["local"]
    assert page.get_by_text("have expired").is_hidden()
