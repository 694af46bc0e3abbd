"""A PNG's declared colours are shown as browsers show them."""

from __future__ import annotations

import numpy as np
import pytest

from models.images.decode import decode
from tests.images.drawing import LIMITS, file, flat, with_png_chunks
from tests.images.png_colours import SHOWN, chrm, cicp, gama, grey_steps


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
@pytest.mark.parametrize("name", SHOWN)
def test_declared_colours_are_shown_as_browsers_show_them(name: str, mode: str) -> None:
    chunks, shown = SHOWN[name]
    pixels = decode(grey_steps(chunks, mode), limits=LIMITS)
    assert np.abs(pixels[0].astype(int) - np.array(shown)[:, None]).max() <= 2


def test_linear_picture_is_not_too_dark() -> None:
    png = with_png_chunks(file(flat(2, 2, (128, 128, 128)), "PNG"), SHOWN["linear"][0])
    assert (decode(png, limits=LIMITS) == 188).all()


def test_other_primaries_change_colours_but_not_white() -> None:
    for chunks in (cicp(12, 13), gama(0.45455) + chrm(0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)):
        red, white = (
            decode(with_png_chunks(file(flat(1, 1, colour), "PNG"), chunks), limits=LIMITS)[0, 0].astype(int)
            for colour in ((200, 100, 100), (255, 255, 255))
        )
        assert red[0] > 210
        assert red[1] < 100
        assert (white == 255).all()


def test_colour_chunks_after_the_pixels_are_ignored() -> None:
    png = file(flat(2, 2, (128, 128, 128)), "PNG")
    late = png[:-12] + SHOWN["linear"][0] + png[-12:]
    assert (decode(late, limits=LIMITS) == 128).all()
