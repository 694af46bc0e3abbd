"""The table of an ablation as one document: measured figures with their spread, and published ones."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydantic import JsonValue

from training.ablation.folder import Plan
from training.ablation.measure import Measured
from training.ablation.variants import FULL, TITLES, Variant, title
from training.evaluation.published import read_published
from training.evaluation.rows import Row
from training.methods.ugatit.config import UgatitConfig

FORMAT: Final = 1

Document = dict[str, Any]
_Key = tuple[str, str, str, str | None]


def tabulate(plan: Plan, measured: Measured) -> Document:
    """Return the table: what was trained, a row for each variant and figure, and the published figures.

    A row of the full model has the mean over its seeds; `values` has each, and `range` how far they are
    apart. `difference` is a figure minus the full model's.
    """
    evaluation, network = measured.document, plan.config.method_config
    assert isinstance(network, UgatitConfig), "only U-GAT-IT has ablations"
    return {
        "format": FORMAT,
        "steps": measured.step,
        "planned_steps": plan.config.steps,
        "batch": plan.config.pictures_each,
        "size": plan.config.data.size,
        "channels": network.generator.channels,
        "blocks": network.generator.blocks,
        "light": network.generator.light,
        "layers": [network.global_discriminator.layers, network.local_discriminator.layers],
        "config": json.loads(plan.config.to_json()),
        "variants": list(dict.fromkeys(each.name for each in plan.variants)),
        **{name: evaluation[name] for name in ("extractor", "data", "seed", "code", "machine")},
        "remarks": [*evaluation["remarks"], *_missing(plan, measured)],
        "rows": _rows(measured),
        "baselines": evaluation["baselines"],
        "published": _published(),
    }


def find(
    rows: Iterable[Mapping[str, Any]], variant: str, direction: str, metric: str, protocol: str | None = None
) -> Mapping[str, Any] | None:
    """Return the row of a figure; None if it was not measured."""
    for row in rows:
        if (row["variant"], row["direction"], row["metric"], row["protocol"]) == (
            variant,
            direction,
            metric,
            protocol,
        ):
            return row
    return None


def _missing(plan: Plan, measured: Measured) -> list[str]:
    """Return a remark for each variant that was not measured."""
    return [
        f"{title(each)}: not measured, because it has no checkpoint of step {measured.step:,}."
        for each in plan.variants
        if each not in measured.variants
    ]


def _published() -> list[dict[str, JsonValue]]:
    """Return the figures of every publication that has ablations; KID, not multiplied by 100."""
    names = {TITLES[name]: name for name in TITLES}
    return [
        {
            "source": source.name,
            "column": source.column,
            "words": source.words,
            "data": data,
            "variant": names[title],
            "value": figure.value,
            "spread": figure.spread,
        }
        for source in read_published()
        for data, figures in source.kid.items()
        if TITLES["in"] in figures
        for title, figure in figures.items()
        if title in names
    ]


def _rows(measured: Measured) -> list[dict[str, JsonValue]]:
    variants = {each.folder: each for each in measured.variants}
    groups: dict[_Key, list[Row]] = defaultdict(list)
    for row in measured.evaluation.rows:
        groups[(variants[row.subject].name, row.direction, row.metric, row.protocol)].append(row)
    means = {key: statistics.fmean(row.value for row in rows) for key, rows in groups.items()}
    return [_row(key, rows, means, variants) for key, rows in groups.items()]


def _row(
    key: _Key, rows: list[Row], means: Mapping[_Key, float], variants: Mapping[str, Variant]
) -> dict[str, JsonValue]:
    name, direction, metric, protocol = key
    values = [row.value for row in rows]
    full = means.get((FULL, direction, metric, protocol))
    first = rows[0]
    return {
        "variant": name,
        "direction": direction,
        "metric": metric,
        "protocol": protocol,
        "extractor": first.extractor,
        "value": means[key],
        "seeds": [variants[row.subject].seed for row in rows],
        "values": list(values),
        "range": max(values) - min(values) if len(values) > 1 else None,
        "difference": None if full is None or name == FULL else means[key] - full,
        "n_sources": first.n_sources,
        "n_translations": first.n_translations,
        "n_targets": first.n_targets,
    }
