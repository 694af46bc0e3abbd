"""Sample sheets: what the networks make of a few pictures, drawn with labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from models.images.heatmap import normalize, overlay
from training.methods.method import Column

_LABEL_HEIGHT: Final = 18
_GAP: Final = 2


def draw_sheet(columns: Sequence[Column], *, title: str) -> Image.Image:
    """One row for each picture, one column for each stage; a heat map lies over the picture before it."""
    rows = len(columns[0].values)
    height, width = columns[0].values.shape[-2:]
    sheet = Image.new(
        "RGB",
        (len(columns) * (width + _GAP), 2 * _LABEL_HEIGHT + rows * (height + _GAP)),
        "white",
    )
    draw = ImageDraw.Draw(sheet)
    draw.text((2, 2), title, fill="black")
    before: Tensor = columns[0].values
    for index, column in enumerate(columns):
        left = index * (width + _GAP)
        draw.text((left + 2, _LABEL_HEIGHT + 2), column.label, fill="black")
        for row in range(rows):
            top = 2 * _LABEL_HEIGHT + row * (height + _GAP)
            sheet.paste(Image.fromarray(_tile(column.values[row], before[row])), (left, top))
        before = column.values if column.values.dim() == 4 else before
    return sheet


def _tile(value: Tensor, before: Tensor) -> NDArray[np.uint8]:
    if value.dim() == 3:
        return to_pixels(value)
    heat = normalize(value.detach().float().cpu().numpy())
    return overlay(to_pixels(before), heat, colormap="jet", alpha=0.5)


def to_pixels(picture: Tensor) -> NDArray[np.uint8]:
    """`[3, S, S]` in [-1, 1] to uint8 `[S, S, 3]`, rounded as the exported graph does."""
    levels = ((picture.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255)
    pixels: NDArray[np.uint8] = levels.permute(1, 2, 0).numpy().astype(np.uint8)
    return pixels
