"""Print an evaluation to a terminal: a table for each direction, a row for each figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.files.walk import summary
from training.console.phrases import metric_name
from training.data.folder import DOMAINS
from training.evaluation.data import EvaluationData
from training.evaluation.distances import Distances
from training.evaluation.domains import Domains
from training.evaluation.evaluate import Evaluation
from training.evaluation.rows import Row
from training.evaluation.subject import Subject


def render(
    evaluation: Evaluation,
    subjects: Sequence[Subject],
    data: EvaluationData,
    domains: Domains | None,
    distances: Distances,
    console: Console,
) -> None:
    """Print what was compared, a table for each direction, and the remarks."""
    for line in _facts(data, domains, distances):
        console.print(Text(line), soft_wrap=True)
    kinds = {subject.name: subject.kind for subject in subjects}
    rows = [*evaluation.baselines, *evaluation.rows]
    for _, group in groupby(rows, key=lambda row: (row.subject, row.direction)):
        console.print(_table(list(group), kinds))
    for remark in evaluation.remarks:
        console.print(Text(remark), soft_wrap=True)


def _facts(data: EvaluationData, domains: Domains | None, distances: Distances) -> list[str]:
    extractor, subsets = distances.extractor, distances.subsets
    held = [f"{data.count(domain)} in test{domain}" for domain in DOMAINS]
    if domains is not None:
        held = [f"{count} ({name})" for count, name in zip(held, domains[:2], strict=True)]
    facts = [
        f"Data: {data.folder}, fingerprint {data.fingerprint[:12]}; pictures: {' and '.join(held)}.",
        f"Extractor: {extractor.name}, sha256 {extractor.sha256[:12]}. KID is not multiplied by 100.",
        "Pictures are the numbers of sources / translations / targets of a figure.",
    ]
    if domains is not None:
        facts.append(f"The names of the domains come from {domains.origin}.")
    if subsets is not None:
        facts.append(
            f"Plain protocol: {subsets.size} pictures in a subset, {subsets.number} subsets, "
            f"seed {distances.seed}."
        )
    if data.unreadable:
        facts.append(f"Left out, unreadable: {'; '.join(str(each) for each in data.unreadable)}")
    if data.left_out:
        facts.append(summary(data.left_out, data.folder))
    return facts


def _table(rows: Sequence[Row], kinds: Mapping[str, str]) -> Table:
    first = rows[0]
    title = f"{kinds.get(first.subject, 'sources')} {first.subject}, {first.direction}"
    if first.steps is not None:
        title += f", {first.steps:,} steps"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in ("figure", "protocol", "value", "spread", "pictures"):
        justify: Literal["left", "right"] = "right" if column in ("value", "pictures") else "left"
        table.add_column(column, justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(_name(row), row.protocol or "", format_value(row), _spread(row), _pictures(row))
    return table


def _name(row: Row) -> str:
    """Return `KID` and `FID` as papers write them, every other metric as in the JSON file."""
    return row.metric if row.extractor is None else metric_name(row.metric)


def format_value(row: Row) -> str:
    """Return the value of a figure with as many digits as are useful; shares as percentages."""
    if row.metric.startswith("cam-accuracy") or row.metric == "attention-in-face":
        return f"{row.value:.1%}"
    return f"{row.value:.1f}" if abs(row.value) >= 10 else f"{row.value:.4f}"


def _spread(row: Row) -> str:
    if row.subset_std is not None:
        return f"subset std {row.subset_std:.4f}"
    return "" if row.standard_error is None else f"standard error {row.standard_error:.4f}"


def _pictures(row: Row) -> str:
    counts = (row.n_sources, row.n_translations, row.n_targets)
    return "/".join("-" if count is None else str(count) for count in counts)
