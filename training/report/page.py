"""Build the report of a run as one HTML page."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from models.files.text import as_text
from models.page.document import document, key_figure, radio_choices, read_asset, table
from training.config.run_config import default_config
from training.console.phrases import metric_name
from training.report.charts import Chart, Section, group_lines, sections
from training.report.key_figures import figure_words, key_figures, score_words
from training.report.pictures import ATTENTION_BYTES, embedded
from training.report.read import CheckpointSummary, RunRecord, Sheet

_ASSETS: Final = Path(__file__).parent / "page"
_PICTURES: Final = 20
"""Most pictures to list from steps that skipped an update."""
_SMOOTHING: Final = (
    '<label class="smoothing">Smoothing <input type="range" min="0" max="0.99" step="0.01" value="0.9" '
    "data-smoothing><output>0.90</output></label>"
)


def draw_page(record: RunRecord) -> str:
    """Return the report of a run as HTML."""
    groups = group_lines(record.lines)
    found = sections(groups, record.config.kind)
    charts = [chart for section in found for chart in section.charts]
    attention = [sheet for sheet in record.sheets if sheet.attention]
    sheets = embedded([sheet for sheet in record.sheets if not sheet.attention])
    sheets += embedded(attention, budget_bytes=ATTENTION_BYTES)
    data = {
        "steps": [group[-1]["step"] for group in groups],
        "charts": [_drawn(chart) for chart in charts],
        "sheets": sheets,
    }
    numbered = iter(range(len(charts)))
    name = as_text(record.path.resolve().name)
    body = Template(read_asset(_ASSETS, "report.html")).substitute(
        title=escape(name),
        facts="".join(key_figure(*figure) for figure in key_figures(record)),
        share=f"{_share(record):.4f}",
        samples=_samples(sheets, _attention_words(record, attention)),
        sections="".join(_section(section, [next(numbered) for _ in section.charts]) for section in found),
        skipped=_skipped(record.lines),
        score_words=escape(_ranking_words(record)),
        checkpoints=_checkpoints(record.checkpoints),
        config=_config(record),
        environments=_environments(record.environments),
        time=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
    )
    return document(
        title=f"{name} · a run",
        body=body,
        data=data,
        assets=_ASSETS,
        styles=["report.css"],
        scripts=["chart.js", "samples.js", "report.js"],
    )


def _share(record: RunRecord) -> float:
    return min(1.0, record.lines[-1]["step"] / record.config.steps) if record.lines else 0.0


def _drawn(chart: Chart) -> dict[str, Any]:
    return {
        "lines": [{"name": name, "values": values} for name, values in chart.lines.items()],
        "band": chart.band,
        "logarithmic": chart.logarithmic,
        "joined": chart.joined,
        "smooth": chart.smooth,
        "ends": chart.ends,
    }


def _section(section: Section, numbers: Sequence[int]) -> str:
    smoothing = _SMOOTHING if any(chart.smooth for chart in section.charts) else ""
    figures = "".join(map(_figure, section.charts, numbers))
    return (
        f'<section><header><h2>{escape(section.title)}</h2>{smoothing}<p class="note">{escape(section.words)}'
        f'</p></header><div class="charts{" small" if section.small else ""}">{figures}</div></section>'
    )


def _figure(chart: Chart, number: int) -> str:
    words = f' <span class="note">{escape(chart.words)}</span>' if chart.words else ""
    entries = "".join(
        f'<li data-line="{index % 6}"><i></i>{escape(name)} <b></b></li>'
        for index, name in enumerate(chart.lines)
    )
    if chart.band is not None:
        entries += "<li>minimum to maximum <b data-band></b></li>"
    return (
        f'<figure data-chart="{number}"><figcaption><h3>{escape(chart.title)}</h3>{words}</figcaption>'
        f'<div class="plot" role="img" aria-label="{escape(_aria_label(chart))}"></div>'
        f'<ul class="legend">{entries}</ul></figure>'
    )


def _aria_label(chart: Chart) -> str:
    """Return the first and last values of a chart, for screen readers."""
    said = []
    for name, values in chart.lines.items():
        known = [value for value in values if value is not None]
        if known:
            said.append(f"{name} from {known[0]:.3g} to {known[-1]:.3g}")
    return f"{chart.title}: {'; '.join(said)}."


def _attention_words(record: RunRecord, sheets: Sequence[Sheet]) -> str:
    """Return a sentence on the sheets of the heat maps' parts, or on why there are none."""
    if sheets:
        return "The sheets of a network's attention have the parts of its heat maps, of fewer steps."
    if record.config.kind.has_parts(record.config.method_config):
        return "No parts of the heat maps: the version that trained this run did not draw them yet."
    return ""


def _samples(sheets: Sequence[Mapping[str, Any]], attention_words: str) -> str:
    if not sheets:
        return ""
    return Template(read_asset(_ASSETS, "samples.html")).substitute(
        choices=radio_choices("sheet", "Which sheet", [str(sheet["name"]) for sheet in sheets]),
        newest=sheets[0]["pictures"][-1],
        attention=escape(attention_words),
    )


def _skipped(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the pictures of steps that skipped an update, the most frequent (likely cause) first."""
    steps = [step for line in lines for step in line.get("skipped", [])]
    if not steps:
        return ""
    counts = Counter(picture for step in steps for picture in step["pictures"])
    rows = [(name, f"{count:,} of {len(steps):,}") for name, count in counts.most_common(_PICTURES)]
    counted = table(("picture", "in the batch of these steps"), rows)
    return f"<section><h2>Steps that skipped an update</h2>{counted}</section>"


def _ranking_words(record: RunRecord) -> str:
    evaluated = [each.figure for each in record.checkpoints if each.best]
    return " ".join(filter(None, [*map(figure_words, evaluated), score_words(record.config)]))


def _checkpoints(kept: Sequence[CheckpointSummary]) -> str:
    if not kept:
        return '<p class="note">No checkpoint.</p>'
    rows = [
        (
            f"{each.step:,}",
            "" if each.figure is None else f"{metric_name(each.figure.metric)} {each.figure.value:.4f}",
            "not measured" if each.score is None else f"{each.score:.4f}",
            f"{each.size_bytes / 1e6:,.1f} MB",
            ", ".join(name for name, true in (("best", each.best), ("latest", each is kept[-1])) if true),
        )
        for each in reversed(kept)
    ]
    return table(("step", "evaluation", "score", "size", ""), rows)


def _config(record: RunRecord) -> str:
    defaults = _flat(dataclasses.asdict(default_config(record.config.method)))
    rows = [("data set", as_text(record.data), "")]
    for name, value in _flat(dataclasses.asdict(record.config)).items():
        differs = "" if value == defaults[name] else f"instead of {defaults[name]}"
        rows.append((name, value, differs))
    return table(("name", "value", ""), rows)


def _environments(entries: Sequence[Mapping[str, Any]]) -> str:
    if not entries:
        return '<p class="note">Not recorded.</p>'
    parts = []
    for entry in reversed(entries):
        step = entry.get("step", 0)
        title = f"Resumed from step {step:,}" if step else "Started"
        rows = [(name, value) for name, value in _flat(dict(entry)).items() if name != "step"]
        parts.append(f"<h3>{title}</h3>{table(('name', 'value'), rows)}")
    return "".join(parts)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = _plain(value)
    return flat


def _plain(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(_plain, value)) or "none"
        case None:
            return "unknown"
        case int() if abs(value) >= 10_000:
            return f"{value:,}"
        case _:
            return str(value)
