"""Build a gallery as one HTML page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from models.files.text import as_text
from models.files.walk import summary
from models.page.document import data_url, document, radio_choices, read_asset, table
from training.data.folder import Domain
from training.evaluation.data import EvaluationData
from training.evaluation.domains import Domains
from training.gallery.collect import Gallery, Section, Shown, ShownColumn
from training.gallery.heat_maps import (
    NETWORKS,
    PART_NAMES,
    Heat,
    MapKey,
    all_keys,
    draw_legend,
    key_of,
    why_missing,
)

_ASSETS: Final = Path(__file__).parent / "page"
KINDS: Final = ("translation", "attention", "reconstruction")
_NO_MAP: Final = "No map: this network has no CAM."
_NO_WAY_BACK: Final = "No way back: give the bundle of the opposite direction too."


def draw_page(
    gallery: Gallery,
    data: EvaluationData,
    domains: Domains | None,
    *,
    found: Mapping[Domain, int],
    kinds: Collection[str] = KINDS,
) -> str:
    """Return a gallery as HTML.

    Args:
        gallery: what is shown.
        data: the test pictures shown.
        domains: their names, if they are known.
        found: the number of readable pictures of each domain.
        kinds: those of `KINDS` that are shown at first.
    """
    name = as_text(data.folder.resolve().name)
    titles = [_title(section, domains) for section in gallery.sections]
    body = Template(read_asset(_ASSETS, "gallery.html")).substitute(
        title=escape(name),
        time=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        facts=escape(" ".join(_facts(gallery, data, found))),
        directions=radio_choices("direction", "Direction", titles) if len(titles) > 1 else "",
        sections="".join(
            _section(number, section, title, kinds, several=len(titles) > 1)
            for number, (section, title) in enumerate(zip(gallery.sections, titles, strict=True))
        ),
        subjects=_subjects(gallery),
        legend=data_url(draw_legend(), "image/png"),
    )
    return document(
        title=f"{name} · gallery",
        body=body,
        data={"sections": [_figures(section) for section in gallery.sections]},
        assets=_ASSETS,
        styles=["gallery.css"],
        scripts=["order.js", "grid.js", "heat_maps.js", "viewer.js", "gallery.js"],
    )


def _title(section: Section, domains: Domains | None) -> str:
    if domains is None:
        return f"{section.source} to {section.target}"
    names = {"A": domains.A, "B": domains.B}
    return f"{names[section.source]} to {names[section.target]}"


def _facts(gallery: Gallery, data: EvaluationData, found: Mapping[Domain, int]) -> Iterator[str]:
    for section in gallery.sections:
        shown, all_of_them = len(section.names), found[section.source]
        spread = "" if shown == all_of_them else ", evenly spread"
        yield f"{shown:,} of the {all_of_them:,} pictures in test{section.source}{spread}."
    if data.unreadable:
        yield f"Left out, unreadable: {'; '.join(str(each) for each in data.unreadable)}."
    if data.left_out:
        yield summary(data.left_out, data.folder)
    yield from gallery.remarks


def _figures(section: Section) -> dict[str, Any]:
    """Return the heat maps of a section, and for each picture its name and each column's figures."""
    keys = all_keys(column.maps for column in section.columns)
    return {
        "columns": [column.label for column in section.columns],
        "maps": [
            {
                "base": "source" if network == "generator" else "translation",
                "network": network,
                "name": _map_name((network, part)),
                "missing": [_why_missing((network, part), column) for column in section.columns],
            }
            for network, part in keys
        ],
        "rows": [
            {
                "name": name,
                "cycle": [_rounded(column.pictures[index].cycle) for column in section.columns],
                "cam": [_rounded(column.pictures[index].cam) for column in section.columns],
                "heats": [_heats(keys, column, index) for column in section.columns],
            }
            for index, name in enumerate(section.names)
        ],
    }


def _heats(keys: Sequence[MapKey], column: ShownColumn, index: int) -> list[dict[str, Any] | None]:
    """Return one picture's heat maps in the order of the keys; None for those that the column lacks."""
    found = dict(zip(map(key_of, column.maps), column.pictures[index].heats, strict=True))
    return [_heat(found[key]) if key in found else None for key in keys]


def _heat(heat: Heat) -> dict[str, Any]:
    zero = -heat.low / (heat.high - heat.low) if heat.low < 0 < heat.high else None
    return {
        "picture": data_url(heat.picture, "image/webp"),
        "words": heat.words,
        "flat": heat.low == heat.high,
        "zero": None if zero is None else round(zero, 3),
    }


def _map_name(key: MapKey) -> str:
    network, part = key
    return f"{NETWORKS[network]}, {PART_NAMES[part]}"


def _why_missing(key: MapKey, column: ShownColumn) -> str | None:
    if key in map(key_of, column.maps):
        return None
    return f"No map: {why_missing(key, column.maps)}."


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def _section(number: int, section: Section, title: str, kinds: Collection[str], *, several: bool) -> str:
    rows = zip(section.names, section.sources, strict=True)
    return Template(read_asset(_ASSETS, "section.html")).substitute(
        number=number,
        title=escape(title),
        count=len(section.columns),
        unseen=' class="unseen"' if several else "",  # the radio button shows it
        hidden="" if number == 0 else "hidden",
        hide=" ".join(kind for kind in KINDS if kind not in kinds),
        maps=_map_options(all_keys(column.maps for column in section.columns)),
        shows="".join(_checkbox(kind, checked=kind in kinds) for kind in KINDS),
        columns="".join(
            f'<option value="{index}">{escape(column.label)}</option>'
            for index, column in enumerate(section.columns)
        ),
        head="".join(map(_head, section.columns)),
        rows="".join(_row(index, *row, section.columns) for index, row in enumerate(rows)),
    )


def _map_options(keys: Sequence[MapKey]) -> str:
    """Return the options of the list of heat maps."""
    return "".join(f'<option value="{index}">{_map_name(key)}</option>' for index, key in enumerate(keys))


def _checkbox(kind: str, *, checked: bool) -> str:
    words = f"<span>{kind.capitalize()}</span>"
    return f'<label><input type="checkbox" value="{kind}"{" checked" if checked else ""}>{words}</label>'


def _head(column: ShownColumn) -> str:
    cells = "".join(f'<span role="columnheader" data-kind="{kind}">{kind}</span>' for kind in KINDS)
    return f'<div class="column" role="none">{_label(column)}{cells}</div>'


def _label(column: ShownColumn) -> str:
    figures = f"<small>{escape(column.figures)}</small>" if column.figures else ""
    return f'<b class="label">{escape(column.label)}{figures}</b>'


def _row(index: int, name: str, source: bytes, columns: Sequence[ShownColumn]) -> str:
    cells = "".join(
        f'<div class="column" role="none" data-column="{number}">{_label(column)}'
        f"{''.join(_cells(name, column.label, column.pictures[index]))}</div>"
        for number, column in enumerate(columns)
    )
    return (
        f'<div class="row" role="row" data-row="{index}"><div role="rowheader" class="cell source">'
        f"{_picture(source, f'{name}, source')}<small>{escape(name)}</small></div>{cells}</div>"
    )


def _cells(name: str, label: str, shown: Shown) -> Iterator[str]:
    cam = "" if shown.cam is None else f"CAM {shown.cam:.1%}"
    cycle = "" if shown.cycle is None else f"cycle error {shown.cycle:.3f}"
    yield _cell("translation", _picture(shown.translation, f"{name}, {label}, translation", cam), cam)
    yield _cell("attention", "" if shown.heats else _missing(_NO_MAP), "")  # filled by the script
    if shown.reconstruction is None:
        yield _cell("reconstruction", _missing(_NO_WAY_BACK), "")
    else:
        picture = _picture(shown.reconstruction, f"{name}, {label}, reconstruction", cycle)
        yield _cell("reconstruction", picture, cycle)


def _missing(words: str) -> str:
    return f'<div class="missing"><span>{words}</span></div>'


def _cell(kind: str, inside: str, note: str) -> str:
    return f'<div role="gridcell" class="cell" data-kind="{kind}">{inside}<small>{note}</small></div>'


def _picture(jpeg: bytes, label: str, note: str = "") -> str:
    words = escape(f"{label}, {note}" if note else label)
    return (
        f'<button type="button" tabindex="-1" aria-label="{words}">'
        f'<img src="{data_url(jpeg, "image/jpeg")}" alt="" decoding="async"></button>'
    )


def _subjects(gallery: Gallery) -> str:
    subjects = {column.label: column.subject for section in gallery.sections for column in section.columns}
    rows = [
        (label, subject.kind, ", ".join(f"{name} {str(value)[:12]}" for name, value in subject.facts.items()))
        for label, subject in subjects.items()
    ]
    return table(("name", "kind", ""), rows)
