"""The charts of a report, with at most `POINTS` points a line."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from training.console.phrases import metric_name
from training.methods.kind import MethodKind
from training.methods.loss_families import LossFamily

POINTS: Final = 600
"""Most points of a line; in a long run each is the mean over equally many lines of `stats.jsonl`."""

Line = Mapping[str, Any]
Values = list[float | None]

_SPEED: Final = ("steps", "seconds", "data_seconds", "images_per_second")


Aggregate = Callable[[Sequence[float]], float]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One chart: lines over the steps."""

    title: str
    words: str = ""
    lines: dict[str, Values] = field(default_factory=dict)
    band: tuple[Values, Values] | None = None
    """Minimum and maximum around a single line."""
    logarithmic: bool = False
    joined: bool = False
    """Draw a line across steps without a value, for numbers that few steps have."""
    smooth: bool = False
    """Draw a smoothed line over the raw line."""
    ends: tuple[float, float] | None = None
    """Ends of the vertical axis; None takes them from the values."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Charts of one subject; a section without charts is left out of the page."""

    title: str
    words: str
    charts: list[Chart]
    small: bool = False


def group_lines(lines: Sequence[Line]) -> list[Sequence[Line]]:
    """Return the lines in at most `POINTS` groups of consecutive lines."""
    size = max(1, math.ceil(len(lines) / POINTS))
    return [lines[first : first + size] for first in range(0, len(lines), size)]


def sections(groups: Sequence[Sequence[Line]], kind: MethodKind) -> list[Section]:
    """Return every section for which the lines of a method's run have numbers."""
    found = [_evaluations(groups), _losses(groups, kind), *_distributions(groups), _rates(groups, kind)]
    return [section for section in found if section.charts]


def _evaluations(groups: Sequence[Sequence[Line]]) -> Section:
    """Return a chart for each metric: figures of two extractors are never in one."""
    metrics = {
        str(line["evaluation"]["metric"]): None for group in groups for line in group if "evaluation" in line
    }
    charts = []
    for metric in metrics:
        of_metric = [[_evaluation_values(line, metric) for line in group] for group in groups]
        charts.append(
            Chart(
                title=metric_name(metric),
                words="of each direction, and their mean; protocol plain, not multiplied by 100",
                lines=_nested(of_metric, "values"),
                joined=True,
            )
        )
    words = (
        "The weights that export takes, on all test pictures; lower is better. The lowest mean is the best."
    )
    return Section(title="Evaluation", words=words, charts=charts)


def _evaluation_values(line: Line, metric: str) -> Line:
    evaluation = line.get("evaluation", {})
    return {"values": evaluation["values"]} if evaluation.get("metric") == metric else {}


def _losses(groups: Sequence[Sequence[Line]], kind: MethodKind) -> Section:
    found: dict[str, dict[str, Values]] = {}
    for name in _names(groups, _is_loss):
        family, _, about = name.rpartition("_")
        found.setdefault(family, {})[kind.about.get(about, about)] = _values(groups, name)
    known = [family for family in kind.families if family in found]
    charts = []
    for family in [*known, *(each for each in found if each not in known)]:
        title, words, _ = kind.families.get(family, LossFamily(family, ""))
        charts.append(Chart(title=title, words=words, lines=found[family], smooth=True))
    words = "Every term of the objective before its weight. The faint line is the measured value."
    return Section(title="Losses", words=words, charts=charts)


def _is_loss(name: str, value: object) -> bool:
    return name not in ("step", *_SPEED) and isinstance(value, int | float)


def _distributions(groups: Sequence[Sequence[Line]]) -> list[Section]:
    """Return a section of small charts for each network: `rho/NETWORK.decoder.0.norm1` is its rho."""
    owners: dict[tuple[str, str], list[Chart]] = {}
    for name in _names(groups, lambda _, __: True, "distributions"):
        kind, _, place = name.partition("/")
        owner, _, layer = place.partition(".")
        mean, low, high = (
            _values(groups, "distributions", name, part, aggregate=aggregate)
            for part, aggregate in (("mean", _mean), ("min", min), ("max", max))
        )
        chart = Chart(title=layer, lines={"mean": mean}, band=(low, high), ends=(0, 1))
        owners.setdefault((kind, owner), []).append(chart)
    words = {"rho": "Layer by layer: 1 is instance normalisation, 0 is layer normalisation. "}
    return [
        Section(
            title=f"{kind.capitalize()} of {owner}",
            words=words.get(kind, "")
            + "The line is the mean over the channels, the band spans their minimum and maximum.",
            charts=charts,
            small=True,
        )
        for (kind, owner), charts in owners.items()
    ]


def _rates(groups: Sequence[Sequence[Line]], kind: MethodKind) -> Section:
    charts = [
        Chart(
            title="Gradient norms",
            words="of each network, at the last step of a line; logarithmic",
            lines=_nested(groups, "gradient_norm"),
            logarithmic=True,
            smooth=True,
        ),
        Chart(
            title="Skipped updates",
            words="of each optimizer since the start; their values were not finite",
            lines=_nested(groups, "skips"),
        ),
        Chart(
            title="Memorised pictures",
            words="each discriminator's mean answer to training pictures minus that to test pictures; "
            "0: it judges both alike, 1: it knows its training pictures by heart",
            lines={
                kind.about.get(name, name): values for name, values in _nested(groups, "memorised").items()
            },
            joined=True,
        ),
        Chart(title="Learning rate", words="of each optimizer", lines=_nested(groups, "learning_rate")),
        Chart(title="Speed", words="images a second", lines=_plain(groups, images="images_per_second")),
        Chart(
            title="Time of a step",
            words="seconds, and the part of them spent waiting for pictures",
            lines=_plain(groups, step="seconds", waiting="data_seconds"),
        ),
    ]
    return Section(
        title="How it went",
        words="Speed, learning rate and gradients.",
        charts=[chart for chart in charts if any(_known(values) for values in chart.lines.values())],
    )


def _nested(groups: Sequence[Sequence[Line]], group: str) -> dict[str, Values]:
    return {name: _values(groups, group, name) for name in _names(groups, lambda _, __: True, group)}


def _plain(groups: Sequence[Sequence[Line]], **names: str) -> dict[str, Values]:
    found = {label: _values(groups, name) for label, name in names.items()}
    return {label: values for label, values in found.items() if _known(values)}


def _names(
    groups: Sequence[Sequence[Line]], wanted: Callable[[str, object], bool], inside: str | None = None
) -> list[str]:
    """Return the keys of all lines in order of first appearance; older lines may lack some."""
    names: dict[str, None] = {}
    for line in (line for group in groups for line in group):
        values = line if inside is None else line.get(inside)
        if isinstance(values, dict):
            names |= dict.fromkeys(name for name, value in values.items() if wanted(name, value))
    return list(names)


def _values(groups: Sequence[Sequence[Line]], *path: str, aggregate: Aggregate = _mean) -> Values:
    """Return one aggregated number for each group of lines; None where no line of the group has it."""
    values: Values = []
    for group in groups:
        known = [value for line in group if (value := _number(line, path)) is not None]
        values.append(float(f"{aggregate(known):.5g}") if known else None)
    return values


def _number(line: Any, path: Sequence[str]) -> float | None:
    for key in path:
        line = line.get(key) if isinstance(line, dict) else None
    finite = isinstance(line, int | float) and math.isfinite(line)
    return float(line) if finite else None


def _known(values: Values) -> bool:
    return any(value is not None for value in values)
