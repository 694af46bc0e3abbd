"""Embed sample sheets in the page, as many as its size allows."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any, Final

from PIL import Image

from models.page.document import data_url
from training.report.read import Sheet

BUDGET_BYTES: Final = 9_000_000
"""Bytes of all sheets of pictures; base64 takes a third more, so the page stays below 15 MB."""
ATTENTION_BYTES: Final = 2_000_000
"""Bytes of all sheets of the heat maps' parts: those of few steps."""
_WIDEST: Final = 1600
_QUALITY: Final = 80


def embedded(sheets: Sequence[Sheet], *, budget_bytes: int = BUDGET_BYTES) -> list[dict[str, Any]]:
    """Return the steps and pictures of each kind of sheet: always the newest, the others evenly spread.

    All kinds have the same steps, so that they can be compared.
    """
    names = list(dict.fromkeys(sheet.name for sheet in sheets))
    steps = sorted({sheet.step for sheet in sheets})
    if not steps:
        return []
    newest = {sheet.name: sheet for sheet in sheets}  # the last of each name
    per_step = sum(len(_webp(sheet)) for sheet in newest.values())
    chosen = set(_spread(steps, max(1, budget_bytes // per_step)))
    shown: list[dict[str, Any]] = []
    for name in names:
        of_name = [sheet for sheet in sheets if sheet.name == name and sheet.step in chosen]
        shown.append(
            {
                "name": name,
                "steps": [sheet.step for sheet in of_name],
                "pictures": [data_url(_webp(sheet), "image/webp") for sheet in of_name],
            }
        )
    return shown


def _spread(steps: Sequence[int], count: int) -> list[int]:
    """Return at most `count` steps, evenly spread, always with the last one."""
    if count >= len(steps):
        return list(steps)
    last = len(steps) - 1
    return [steps[last - round(index * last / max(1, count - 1))] for index in range(count)]


def _webp(sheet: Sheet) -> bytes:
    with Image.open(sheet.file) as opened:
        image = opened.convert("RGB")
    if image.width > _WIDEST:
        image = image.resize((_WIDEST, round(image.height * _WIDEST / image.width)), Image.Resampling.LANCZOS)
    file = BytesIO()
    image.save(file, "WEBP", quality=_QUALITY, method=4)
    return file.getvalue()
