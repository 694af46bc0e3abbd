"""Sample sheets: the pictures and heat maps that the networks return, drawn with labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from models.images.encode import encode
from models.images.heatmap import normalize, overlay, own_range
from models.images.legend import draw_legend, legend_height
from models.storage.durable import replace_file
from training.methods.method import Batch, Column

SAMPLES: Final = 4
"""The number of pictures of each domain on a sheet. The score is measured on them."""
Sheets = dict[str, list[Column]]
"""The columns of each sheet, by its name: a direction, `A2B`, or with a network, `A2B-local`."""
ATTENTION: Final = {
    "generator": "generator's attention",
    "local": "local discriminator's attention",
    "global": "global discriminator's attention",
}
"""What a sheet of the parts of a network's heat maps shows, by the end of its name."""
_GAP: Final = 2
_INK: Final = "#241f1b"


def sample_one_by_one(sample: Callable[[Batch], Sheets], batch: Batch, *, at_once: int = 1) -> Sheets:
    """Return the samples of a batch, `at_once` pictures per pass, which bounds the memory; on the CPU.

    Args:
        sample: returns the columns of each sheet, for a batch.
        batch: the pictures of both domains.
        at_once: pictures of a pass.
    """
    count = min(len(pictures) for pictures in batch.values())
    passes: dict[str, list[list[Column]]] = {}
    for first in range(0, count, at_once):
        samples = sample({domain: pictures[first : first + at_once] for domain, pictures in batch.items()})
        for sheet, columns in samples.items():
            kept = [Column(label, values.detach().float().cpu()) for label, values in columns]
            passes.setdefault(sheet, []).append(kept)
    return {sheet: _joined(each) for sheet, each in passes.items()}


def _joined(passes: Sequence[Sequence[Column]]) -> list[Column]:
    return [
        Column(same[0].label, torch.cat([part.values for part in same])) for same in zip(*passes, strict=True)
    ]


def write_sheet(file: Path, columns: Sequence[Column], *, title: str) -> None:
    """Write a sheet atomically as a JPEG file; a long run writes thousands of them.

    Raises:
        OSError: the file could not be written.
    """
    replace_file(file, encode(np.asarray(draw_sheet(columns, title=title)), "image/jpeg"))


def draw_sheet(columns: Sequence[Column], *, title: str) -> Image.Image:
    """Return a sheet with a row per picture and a column per `Column`.

    Heat maps overlay the last picture; below each is a legend with its values.
    """
    rows = len(columns[0].values)
    height, width = columns[0].values.shape[-2:]
    if any(column.values.dim() == 3 for column in columns):
        height += legend_height(width)
    line = max(14, width // 9)
    sheet = Image.new(
        "RGB", (len(columns) * (width + _GAP) - _GAP, 2 * line + rows * (height + _GAP) - _GAP), "white"
    )
    size = min(_fitting(column.label, width, line) for column in columns)
    sheet.paste(_words(title, sheet.width, line, min(size, _fitting(title, sheet.width, line))), (0, 0))
    before: Tensor = columns[0].values
    for index, column in enumerate(columns):
        left = index * (width + _GAP)
        sheet.paste(_words(column.label, width, line, size), (left, line))
        for row in range(rows):
            top = 2 * line + row * (height + _GAP)
            sheet.paste(Image.fromarray(_tile(column.values[row], before[row])), (left, top))
        before = column.values if column.values.dim() == 4 else before
    return sheet


def _fitting(text: str, width: int, height: int) -> float:
    """Return the font size at which a line of text fits into width and height, at least 7."""
    size = height * 0.72
    length = ImageFont.load_default(size).getlength(text)
    return max(7.0, size * min(1.0, (width - 4) / length))


def _words(text: str, width: int, height: int, size: float) -> Image.Image:
    strip = Image.new("RGB", (width, height), "white")
    ImageDraw.Draw(strip).text(
        (2, height / 2), text, fill=_INK, font=ImageFont.load_default(size), anchor="lm"
    )
    return strip


def _tile(value: Tensor, before: Tensor) -> NDArray[np.uint8]:
    if not (value.isfinite().all() and before.isfinite().all()):
        return _crossed_out(*before.shape[-2:])
    if value.dim() == 3:
        return to_pixels(value)
    values = value.detach().float().cpu().numpy()
    drawn = overlay(to_pixels(before), normalize(values), colormap="jet", alpha=0.5)
    legend = np.asarray(draw_legend(own_range(values), "jet", width=drawn.shape[1]))
    return np.concatenate([drawn, legend])


def _crossed_out(height: int, width: int) -> NDArray[np.uint8]:
    """Return a grey tile with a cross, which replaces values that are not finite."""
    tile = Image.new("RGB", (width, height), "#bbbbbb")
    draw = ImageDraw.Draw(tile)
    draw.line((0, 0, width, height), fill=_INK)
    draw.line((0, height, width, 0), fill=_INK)
    return np.asarray(tile)


def to_pixels(picture: Tensor) -> NDArray[np.uint8]:
    """Convert a picture `[3, S, S]` in [-1, 1] to uint8 `[S, S, 3]`, with the exported graph's rounding."""
    levels = ((picture.detach().float().cpu() + 1) * 127.5).round().clamp(0, 255)
    pixels: NDArray[np.uint8] = levels.permute(1, 2, 0).numpy().astype(np.uint8)
    return pixels
