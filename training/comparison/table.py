"""The table of a comparison: time, parameters and figures of each method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from training.ablation.measure import Measured
from training.ablation.variants import Variant
from training.comparison.plan import ComparisonFolder, ComparisonPlan
from training.console.phrases import format_duration, metric_name
from training.evaluation.rows import Row
from training.report.key_figures import total_seconds
from training.report.read import read_run

FORMAT: Final = 1
Document = dict[str, Any]

_DIRECTIONS: Final = ("A2B", "B2A")
_OTHERS: Final = ("cycle-l1", "identity-l1", "sharpness")


def tabulate(
    folder: ComparisonFolder, plan: ComparisonPlan, measured: Measured, remarks: Iterable[str] = ()
) -> Document:
    """Return the table: a row for each method with its time, parameters and figures."""
    evaluation = measured.document
    return {
        "format": FORMAT,
        "profile": plan.options.profile,
        "steps": measured.step,
        "planned_steps": plan.config.steps,
        "batch": plan.config.batch * plan.config.accumulate,
        "size": plan.config.data.size,
        "training_seed": plan.config.seed,
        **{name: evaluation[name] for name in ("extractor", "data", "seed", "code", "machine")},
        "remarks": [*plan.all_remarks, *remarks, *evaluation["remarks"], *_missing(plan, measured)],
        "methods": [_method(folder, plan, each, measured) for each in measured.variants],
        "baselines": evaluation["baselines"],
    }


def _method(
    folder: ComparisonFolder, plan: ComparisonPlan, variant: Variant, measured: Measured
) -> dict[str, Any]:
    config = plan.config_of(variant)
    method = config.make_method()
    counts = {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in method.networks.items()
    }
    lines = [line for line in read_run(folder.run(variant).path).lines if line["step"] <= measured.step]
    seconds = total_seconds([line for line in lines if "evaluation" not in line])
    rows = [row for row in measured.evaluation.rows if row.subject == variant.folder]
    return {
        "method": variant.name,
        "title": config.kind.title,
        "channels": config.method_config.base_channels,
        "pictures_each": config.pictures_each,
        "seconds": seconds,
        "step_seconds": seconds / measured.step,
        "parameters": sum(counts.values()),
        "translating_parameters": sum(counts[name] for name in method.averaged_networks),
        "figures": [_figure(row) for row in rows],
    }


def _figure(row: Row) -> dict[str, Any]:
    return {
        "direction": row.direction,
        "metric": row.metric,
        "protocol": row.protocol,
        "value": row.value,
        "extractor": row.extractor,
        "n_sources": row.n_sources,
        "n_translations": row.n_translations,
        "n_targets": row.n_targets,
    }


def _missing(plan: ComparisonPlan, measured: Measured) -> list[str]:
    """Return a remark for each method that was not measured."""
    return [
        f"{plan.title(each)}: not measured, because it has no checkpoint of step {measured.step:,}."
        for each in plan.variants
        if each not in measured.variants
    ]


def render_markdown(document: Document) -> str:
    """Return the table as a page: what was trained, the table, and what it leaves out."""
    parts = [
        f"# Methods on {document['data']['name']}",
        _facts(document),
        _table(document),
        "\n".join(f"- {each}" for each in document["remarks"]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts(document: Document) -> str:
    steps, planned = document["steps"], document["planned_steps"]
    finished = "" if steps == planned else f" of {planned:,} planned (the comparison is not finished)"
    pictures, extractor = document["data"]["pictures"], document["extractor"]
    return (
        f"Profile {document['profile']}: {steps:,} generator updates{finished} of batch {document['batch']} "
        f"for every method, {document['size']} px, seed {document['training_seed']}. Equal updates are not "
        "equal computation: the time is that of all steps, measured while the methods took turns. Lower is "
        f"better for every figure but sharpness. {pictures['A']} test pictures of A, {pictures['B']} of B; "
        f"data fingerprint {document['data']['fingerprint'][:12]}; extractor {extractor['name']}, sha256 "
        f"{extractor['sha256'][:12]}; code {document['code']}."
    )


def _table(document: Document) -> str:
    metric = next(str(row["metric"]) for row in document["baselines"] if row["protocol"] == "plain")
    wanted = [(metric, "plain"), *((other, None) for other in _OTHERS)]
    head = ["method", "base channels", "parameters", "of them translate", "time", "a step"]
    head += [f"{_named(name)}, {direction}" for name, _ in wanted for direction in _DIRECTIONS]
    lines = [[*_cells(each), *_figures(each, wanted)] for each in document["methods"]]
    baseline = next(row["value"] for row in document["baselines"] if row["protocol"] == "plain")
    untranslated = ["untranslated", *[""] * 5, f"{baseline:.4f}", f"{baseline:.4f}"]
    lines.append([*untranslated, *[""] * (len(head) - len(untranslated))])
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))


def _cells(method: Mapping[str, Any]) -> list[str]:
    return [
        method["title"],
        str(method["channels"]),
        f"{method['parameters'] / 1e6:.2f} M",
        f"{method['translating_parameters'] / 1e6:.2f} M",
        format_duration(method["seconds"]),
        f"{method['step_seconds']:.3g} s",
    ]


def _figures(method: Mapping[str, Any], wanted: Sequence[tuple[str, str | None]]) -> Iterator[str]:
    values = {(row["metric"], row["protocol"], row["direction"]): row["value"] for row in method["figures"]}
    for metric, protocol in wanted:
        for direction in _DIRECTIONS:
            value = values.get((metric, protocol, direction))
            yield "" if value is None else f"{value:.4f}" if value < 100 else f"{value:,.0f}"


def _named(metric: str) -> str:
    return metric_name(metric) if metric.startswith("kid") else metric
