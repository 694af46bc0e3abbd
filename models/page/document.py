"""Build an HTML page: one file that contains its styles, scripts, data and pictures, and loads nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

_HERE: Final = Path(__file__).parent


def document(
    *, title: str, body: str, data: Any, assets: Path, styles: Sequence[str], scripts: Sequence[str]
) -> str:
    """Return a page as HTML. Its content policy forbids requests to any host.

    Args:
        title: plain text.
        body: HTML of the body, whose texts are escaped.
        data: what JSON can hold; the scripts read it from the element `#data`.
        assets: the folder of the styles and scripts.
        styles: names of CSS files that follow `base.css`.
        scripts: names of JavaScript files, in this order.
    """
    style = [read_asset(_HERE, "base.css"), *(read_asset(assets, name) for name in styles)]
    return Template(read_asset(_HERE, "document.html")).substitute(
        title=escape(title),
        style="\n".join(style),
        body=body,
        # Escape "<", because a name could end the script with it.
        data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
        script="\n".join(read_asset(assets, name) for name in scripts),
    )


def read_asset(folder: Path, name: str) -> str:
    """Return the text of a file that belongs to the code."""
    return (folder / name).read_text(encoding="utf-8")


def data_url(data: bytes, media_type: str) -> str:
    """Return a file as a URL that contains it."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def key_figure(name: str, value: str, note: str = "") -> str:
    """Return one entry of a list `<dl class="facts">`."""
    small = f'<dd class="note">{escape(note)}</dd>' if note else ""
    return f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd>{small}</div>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of plain texts, which scrolls sideways where it is too wide."""
    top = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def radio_choices(name: str, legend: str, labels: Sequence[str]) -> str:
    """Return a row of radio buttons with the values 0, 1, ...; the first one is chosen."""
    choices = "".join(
        f'<label><input type="radio" name="{name}" value="{index}"{" checked" if index == 0 else ""}>'
        f"<span>{escape(label)}</span></label>"
        for index, label in enumerate(labels)
    )
    return f'<fieldset class="choices"><legend class="unseen">{escape(legend)}</legend>{choices}</fieldset>'
