"""Render the table of an ablation as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from training.ablation.table import Document, find
from training.ablation.variants import FULL, TITLES

_DIRECTIONS: Final = ("A2B", "B2A")
_IN_FACE: Final = "attention-in-face"
_OTHERS: Final = (
    "cycle-l1", "identity-l1", "cam-accuracy-source", "cam-accuracy-target", "sharpness", _IN_FACE
)  # fmt: skip
_FACE_WORDS: Final = (
    f"{_IN_FACE} is the mean share of the generator's attention inside the face, and the number of source "
    "pictures in which a face is found. A map without a preference has the share of the face's area."
)
_SHARES: Final = ("cam-accuracy-source", "cam-accuracy-target", _IN_FACE)


def render_markdown(document: Document) -> str:
    """Return the table of `tabulate` as a page: what was trained, two tables, and what the spread permits."""
    parts = [
        f"# Ablation on {document['data']['name']}",
        _facts(document),
        "## Distances",
        _distances(document),
        *_spread(document),
        _published_notes(document),
        "## Other figures",
        _others(document),
        *(f"- {each}" for each in document["remarks"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def distance_metric(document: Document) -> str:
    """Return the metric of the kernel distance: `kid` or `kid-lite`."""
    return next(str(row["metric"]) for row in document["baselines"] if row["protocol"] == "plain")


def _facts(document: Document) -> str:
    steps, planned = document["steps"], document["planned_steps"]
    finished = "" if steps == planned else f" of {planned:,} planned (the ablation is not finished)"
    pictures, extractor = document["data"]["pictures"], document["extractor"]
    light = "light generator" if document["light"] else "full generator"
    return (
        f"{steps:,} steps{finished} of batch {document['batch']} for every variant, {document['size']} px, "
        f"{document['channels']} channels, {light}, discriminators of {document['layers'][0]} and "
        f"{document['layers'][1]} layers. {pictures['A']} test pictures of A, {pictures['B']} of B; data "
        f"fingerprint {document['data']['fingerprint'][:12]}; extractor {extractor['name']}, sha256 "
        f"{extractor['sha256'][:12]}; code {document['code']}."
    )


def _distances(document: Document) -> str:
    metric, published = distance_metric(document), document["published"]
    columns = list(dict.fromkeys((row["column"], row["data"]) for row in published))
    head = ["variant"]
    for direction in _DIRECTIONS:
        head += [f"{_name(metric)} plain, {direction}", "to U-GAT-IT"]
    head += [f"{column}, {data}" for column, data in columns]
    printed = {(row["column"], row["data"], row["variant"]): row for row in published}
    lines = []
    for variant in document["variants"]:
        cells = [TITLES[variant]]
        for direction in _DIRECTIONS:
            cells += _measured(find(document["rows"], variant, direction, metric, "plain"))
        cells += [_printed(printed.get((*column, variant))) for column in columns]
        lines.append(cells)
    baseline = next(row["value"] for row in document["baselines"] if row["protocol"] == "plain")
    lines.append(["untranslated", f"{baseline:.4f}", "", f"{baseline:.4f}", "", *[""] * len(columns)])
    return _table(head, lines)


def _measured(row: Any) -> list[str]:
    if row is None:
        return ["", ""]
    values = row["values"]
    seeds = f" ({', '.join(f'{value:.4f}' for value in values)})" if len(values) > 1 else ""
    difference = "" if row["difference"] is None else f"{row['difference']:+.4f}"
    return [f"{row['value']:.4f}{seeds}", difference]


def _printed(row: Any) -> str:
    return "" if row is None else f"{row['value']:.4f} ± {row['spread']:.4f}"


def _spread(document: Document) -> Iterator[str]:
    """Yield, for each direction, which differences are larger than those between seeds."""
    metric = distance_metric(document)
    for direction in _DIRECTIONS:
        full = find(document["rows"], FULL, direction, metric, "plain")
        if full is None or full["range"] is None:
            continue
        larger = [
            TITLES[variant]
            for variant in document["variants"]
            if (row := find(document["rows"], variant, direction, metric, "plain")) is not None
            and row["difference"] is not None
            and abs(row["difference"]) > full["range"]
        ]
        yield (
            f"{direction}: the seeds {', '.join(map(str, full['seeds']))} of U-GAT-IT are "
            f"{full['range']:.4f} apart. Further from their mean than that: {', '.join(larger) or 'none'}."
        )
    seeds = find(document["rows"], FULL, "A2B", metric, "plain")
    if seeds is not None and seeds["range"] is None:
        yield (
            "One seed only, so the spread between equal runs is unknown; --seeds 2 or more would measure it."
        )


def _published_notes(document: Document) -> str:
    words = dict.fromkeys(row["words"] for row in document["published"])
    return (
        "The published columns (there as x 100) are of other data, sizes and lengths of training, under "
        f"another protocol: compare orders, never values. {' '.join(words)}"
    )


def _others(document: Document) -> str:
    """Return the table of the other figures, without the columns that no variant has a figure in."""
    measured = {(row["metric"], row["direction"]) for row in document["rows"]}
    columns = [
        (metric, direction)
        for metric in _OTHERS
        for direction in _DIRECTIONS
        if (metric, direction) in measured
    ]
    lines = []
    for variant in document["variants"]:
        rows = [find(document["rows"], variant, direction, metric) for metric, direction in columns]
        lines.append([TITLES[variant], *("" if row is None else _short(row) for row in rows)])
    table = _table(["variant", *(f"{metric}, {direction}" for metric, direction in columns)], lines)
    return f"{table}\n\n{_FACE_WORDS}" if any(metric == _IN_FACE for metric, _ in columns) else table


def _short(row: Any) -> str:
    if row["metric"] in _SHARES:
        pictures = f" of {row['n_sources']}" if row["metric"] == _IN_FACE else ""
        return f"{row['value']:.0%}{pictures}"
    return f"{row['value']:.0f}" if row["metric"] == "sharpness" else f"{row['value']:.3f}"


def _name(metric: str) -> str:
    return f"{metric[:3].upper()}{metric[3:]}"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    ruler = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ruler, *lines))
