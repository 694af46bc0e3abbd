"""The pictures in answers."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.render_options import RenderOptions, View
from app.engine.rendering import render_attention, render_picture
from app.engine.store.entry import Crop, Entry
from models.bundle.canary import smooth_picture
from models.bundle.declarations import HeatMap, Range
from models.images.frame import Box, Frame
from models.images.heatmap import colorize, normalize
from models.images.legend import legend_height
from tests.photos import pixels_of

PICTURE = smooth_picture(32, 32, seed=3)
MAP = np.arange(16, dtype=np.float32).reshape(4, 4)
RELEVANCE = HeatMap(name="attention", network="generator", kind="relevance", range=Range())
MASK = HeatMap(name="mask", network="generator", kind="mask", range=Range(low=0, high=1))


def entry(content: Box = Box(0, 0, 32, 32)) -> Entry:  # noqa: B008
    return Entry(
        direction="cat2dog",
        version="0" * 12,
        crops=[Crop(Frame(PICTURE, content), 255 - PICTURE, {"attention": MAP})],
        declared=[RELEVANCE],
        expires_at=0.0,
    )


def test_a_png_answer_equals_the_network_output() -> None:
    assert np.array_equal(pixels_of(render_picture(entry(), RenderOptions()).data), 255 - PICTURE)


def test_padding_is_cut_off_pictures_and_overlays_at_any_size() -> None:
    padded = entry(Box(0, 8, 32, 24))
    picture = render_picture(padded, RenderOptions())
    assert (picture.width, picture.height) == (32, 16)
    assert np.array_equal(pixels_of(picture.data), 255 - PICTURE[8:24])
    for size, expected in ((None, (32, 16)), (64, (64, 32)), (1024, (1024, 512))):
        overlay = render_attention(padded, RELEVANCE, MAP, RenderOptions(), size=size)
        assert (overlay.width, overlay.height) == expected


@pytest.mark.parametrize(("base", "expected"), [("source", PICTURE), ("translation", 255 - PICTURE)])
def test_alpha_zero_shows_the_base_alone(base: str, expected: np.ndarray) -> None:
    overlay = render_attention(entry(), RELEVANCE, MAP, RenderOptions(alpha=0), base=base)
    assert np.array_equal(pixels_of(overlay.data), expected)


def test_a_heatmap_view_has_only_the_colours() -> None:
    heatmap = render_attention(entry(), RELEVANCE, MAP, RenderOptions(colormap="viridis"), view="heatmap")
    expected = colorize(normalize(MAP), height=32, width=32, colormap="viridis")
    assert np.array_equal(pixels_of(heatmap.data), expected)


def test_a_masks_values_are_coloured_as_they_are() -> None:
    half = np.full((4, 4), 0.5, np.float32)
    heatmap = render_attention(entry(), MASK, half, RenderOptions(colormap="gray"), view="heatmap")
    assert set(pixels_of(heatmap.data).ravel().tolist()) == {128}


@pytest.mark.parametrize("view", ["overlay", "heatmap"])
def test_a_legend_is_added_below_the_same_picture(view: View) -> None:
    padded = entry(Box(0, 0, 32, 16))
    plain, with_legend = (
        pixels_of(
            render_attention(padded, RELEVANCE, MAP, RenderOptions(), view=view, size=256, legend=legend).data
        )
        for legend in (False, True)
    )
    assert with_legend.shape == (plain.shape[0] + legend_height(256), 256, 3)
    assert np.array_equal(with_legend[: len(plain)], plain)


@pytest.mark.parametrize("media_type", ["image/png", "image/jpeg", "image/webp"])
def test_a_picture_has_the_format_of_its_media_type(media_type: str) -> None:
    magic = {"image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}[media_type]
    assert render_picture(entry(), RenderOptions(media_type=media_type)).data.startswith(magic)
