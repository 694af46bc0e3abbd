"""Draw the legend of a heat map: a bar of its colours with the values that they stand for."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from models.images.heatmap import Colormap, legend

_SMALLEST_WIDTH: Final = 96
"""Pixels, so that the numbers have room below a narrow picture."""
_SMALLEST_TEXT: Final = 10
_PAPER: Final = "#ffffff"
_INK: Final = "#241f1b"


def add_legend(
    picture: NDArray[np.uint8], ends: tuple[float, float], colormap: Colormap
) -> NDArray[np.uint8]:
    """Return a picture, uint8 [H, W, 3], with a legend below it.

    Args:
        picture: a heat map or an overlay; one narrower than 96 pixels is centred on white.
        ends: the values of the lowest and the highest colour, as `value_range` returns them.
        colormap: of the picture.
    """
    height, width = picture.shape[:2]
    strip = draw_legend(ends, colormap, width=max(width, _SMALLEST_WIDTH))
    canvas = Image.new("RGB", (strip.width, height + strip.height), _PAPER)
    canvas.paste(Image.fromarray(picture), ((strip.width - width) // 2, 0))
    canvas.paste(strip, (0, height))
    return np.asarray(canvas)


def draw_legend(ends: tuple[float, float], colormap: Colormap, *, width: int) -> Image.Image:
    """Return a legend: the bar of colours, below it the values at its ends, and zero if it is between them.

    The bar of a flat map, whose two ends are equal, has one colour and one value.
    """
    low, high = ends
    size = _text_size(width)
    gap = size // 3
    bar = legend(colormap, width=width, height=size)
    if low == high:
        bar[:] = bar[0, 0]
    strip = Image.new("RGB", (width, legend_height(width)), _PAPER)
    strip.paste(Image.fromarray(bar), (0, gap))
    draw, font = ImageDraw.Draw(strip), ImageFont.load_default(size)
    foot = strip.height - gap
    draw.text((1, foot), number(low), fill=_INK, font=font, anchor="ls")
    if low < high:
        draw.text((width - 1, foot), number(high), fill=_INK, font=font, anchor="rs")
    if low < 0 < high:
        zero = -low / (high - low) * (width - 1)
        draw.line((zero, gap, zero, gap + size + gap // 2), fill=_INK, width=max(1, size // 10))
        if _has_room(zero, width, [font.getlength(number(end)) for end in ends], font.getlength("0")):
            draw.text((zero, foot), "0", fill=_INK, font=font, anchor="ms")
    return strip


def _has_room(x: float, width: int, ends: list[float], length: float) -> bool:
    """Return whether a word of a length fits around x between the words at both ends."""
    return ends[0] + length < x < width - ends[1] - length


def legend_height(width: int) -> int:
    """Return the height of a legend in pixels."""
    size = _text_size(width)
    return 2 * size + size // 3 * 3


def _text_size(width: int) -> int:
    return max(_SMALLEST_TEXT, width // 28)


def number(value: float) -> str:
    """Return a value with three significant digits: 0.0123, 1230, -4.5, 1.2e-07."""
    return f"{float(f'{value:.3g}'):g}"
