"""Write the pictures of `ugatit translate` with their translations as one HTML page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from models.files.text import as_text
from models.images.decode import decode
from models.images.encode import encode
from models.images.errors import PictureError
from models.images.frame import resize
from models.images.limits import PictureLimits
from models.page.document import data_url, document, key_figure

_ASSETS: Final = Path(__file__).parent / "gallery_page"
_SIDE_PIXELS: Final = 256
_QUALITY: Final = 82
_MOST_CARDS: Final = 400
"""Of one page: three pictures each take about 25 kB together, so a page stays near 10 MB."""


class Shown(NamedTuple):
    """A picture with its results."""

    source: Path
    results: Sequence[Path]
    """The translation, then heat maps; those that do not exist are left out."""


def write_gallery(
    path: Path, direction: str, pictures: Sequence[Shown], failures: Sequence[tuple[Path, str]]
) -> None:
    """Write a page that needs no other file, completely or not at all.

    Args:
        path: of the page.
        direction: that translated.
        pictures: those to show; of more than 400 an even selection.
        failures: the pictures without a translation, with the reasons.
    """
    shown = _spread(pictures, _MOST_CARDS)
    cards = "".join(map(_card, shown))
    body = (
        f'<main><header class="opening"><h1>{escape(direction)}</h1><dl class="facts">'
        f"{key_figure('Translated', f'{len(pictures):,}', _selection(len(shown), len(pictures)))}"
        f"{key_figure('Not translated', f'{len(failures):,}') if failures else ''}</dl></header>"
        f'<section><h2>Pictures</h2><ul class="cards">{cards}</ul></section>{_failures(failures)}</main>'
    )
    page = document(
        title=f"{direction} · gallery",
        body=body,
        data=None,
        assets=_ASSETS,
        styles=["gallery.css"],
        scripts=[],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _card(shown: Shown) -> str:
    name = as_text(shown.source.name)
    images = [_image(path, f"{name}: {words}") for path, words in _named(shown)]
    return f'<li class="card"><div class="row">{"".join(images)}</div><p class="note">{escape(name)}</p></li>'


def _named(shown: Shown) -> list[tuple[Path, str]]:
    translation, *heat_maps = shown.results
    named = [(shown.source, "source"), (translation, "translation")]
    return named + [(path, "heat map") for path in heat_maps if path.exists()]


def _image(path: Path, words: str) -> str:
    """Return a small copy of a picture, of an animation its first frame, as HTML."""
    try:
        pixels = decode(path.read_bytes(), limits=PictureLimits(), enough_side=_SIDE_PIXELS)
    except (OSError, PictureError):  # a source was moved or replaced since it was translated
        return f'<p class="note">{escape(words)} cannot be read.</p>'
    share = min(1.0, _SIDE_PIXELS / max(pixels.shape[:2]))
    height, width = (max(1, round(side * share)) for side in pixels.shape[:2])
    small = encode(np.asarray(resize(pixels, height=height, width=width)), "image/webp", quality=_QUALITY)
    size = f'width="{width}" height="{height}"'
    return f'<img src="{data_url(small, "image/webp")}" alt="{escape(words)}" {size} loading="lazy">'


def _failures(failures: Sequence[tuple[Path, str]]) -> str:
    if not failures:
        return ""
    items = "".join(f"<li>{escape(as_text(path.name))}: {escape(reason)}</li>" for path, reason in failures)
    return f"<section><h2>Not translated</h2><ul>{items}</ul></section>"


def _selection(shown: int, found: int) -> str:
    return f"{shown:,} of them are shown" if shown < found else ""


def _spread(pictures: Sequence[Shown], most: int) -> list[Shown]:
    """Return at most so many pictures, evenly spread."""
    if len(pictures) <= most:
        return list(pictures)
    return [pictures[number * len(pictures) // most] for number in range(most)]
