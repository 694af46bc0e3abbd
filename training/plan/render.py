"""Print a plan to a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from training.console.phrases import format_duration
from training.plan.evaluations import count_evaluations
from training.plan.plan import Plan

Row = tuple[str, str, str]


def render(plan: Plan, remarks: Sequence[str], console: Console) -> None:
    """Print one table, and the remarks below it."""
    config = plan.config
    title = f"{config.data.size} px, {_batch(plan)}, {config.steps:,} steps of {config.method}"
    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("how much", justify="right", no_wrap=True)
    table.add_column("of what", style="dim")
    for rows in (_parameters(plan), _memory(plan), _time(plan), _disk(plan), _pictures(plan)):
        for row in rows:
            table.add_row(*row)
        if rows:
            table.add_section()
    console.print(table, soft_wrap=False)
    for remark in remarks:
        console.print(Text(remark, style="bold yellow"), soft_wrap=True)


def _batch(plan: Plan) -> str:
    passes = f" x {plan.config.accumulate} passes" if plan.config.accumulate > 1 else ""
    processes = f" x {plan.processes} processes" if plan.processes > 1 else ""
    return f"batch {plan.config.batch}{passes}{processes}"


def _parameters(plan: Plan) -> list[Row]:
    counts = plan.costs.parameters
    rows = [(f"parameters of {name}", f"{count:,}", "") for name, count in counts.items()]
    return [*rows, ("parameters", f"{sum(counts.values()):,}", "of all networks")]


def _memory(plan: Plan) -> list[Row]:
    costs = plan.costs
    parts = [
        ("weights", costs.weights_bytes, "and buffers"),
        ("running average", costs.average_bytes, "of the generators' weights"),
        ("gradients", costs.gradients_bytes, ""),
        ("optimizers", costs.optimizer_bytes, "Adam's two moments"),
        ("activations", costs.activations_bytes, "at the peak of a step, from its operators"),
        ("cached pictures", plan.cache_bytes, "at most, after the first epoch"),
        ("libraries", plan.libraries_bytes, "Python and torch on this machine"),
    ]
    rows = [(name, size(count), words) for name, count, words in parts if count]
    free = f"; {size(plan.free_memory_bytes)} free here" if plan.free_memory_bytes is not None else ""
    shared = plan.local_processes > 1 and plan.speed.device_type == "cpu"
    each = f" each, {size(plan.needed_bytes)} for all here" if shared else ""
    total = [("memory", f"about {size(plan.memory_bytes)}", f"estimated{each}{free}")]
    if plan.measured is not None:
        scope = "peak of the process in these steps, without cached pictures"
        total.append(("memory measured", size(plan.measured.peak_bytes), scope))
    return rows + total


def _time(plan: Plan) -> list[Row]:
    seconds = plan.step_seconds
    how = "measured on this CPU" if plan.measured else "estimated from a residual block on this CPU"
    per_step = plan.config.pictures(plan.processes) // 2
    pictures = plan.config.pictures(plan.processes) / seconds
    return [
        ("pictures of a step", f"{per_step:,}", f"of each domain: {_batch(plan)}"),
        (
            "work of a step",
            f"{plan.costs.flops / 1e9:,.0f} GFLOP",
            f"convolutions and matrix products{_each(plan)}",
        ),
        ("time of a step", f"{_about(plan)}{seconds:.3g} s", f"{how}, {pictures:.3g} images/s"),
        ("time", f"about {format_duration(plan.seconds)}", "for all steps, at this speed"),
        *_evaluations(plan),
    ]


def _evaluations(plan: Plan) -> list[Row]:
    count = count_evaluations(plan.config, plan.config.steps)
    if not count:
        return []
    if plan.evaluation_seconds is None:
        return [("time of evaluations", "", f"{count:,} of them; --data estimates it")]
    seconds = format_duration(count * plan.evaluation_seconds)
    return [("time of evaluations", f"about {seconds}", f"{count:,} of them, EfficientNet-Lite0")]


def _each(plan: Plan) -> str:
    return " of each process" if plan.processes > 1 else ""


def _about(plan: Plan) -> str:
    return "" if plan.measured else "about "


def _disk(plan: Plan) -> list[Row]:
    count = f"{size(plan.checkpoint_bytes)} each: the last {plan.config.keep_last}, the best, the next"
    return [
        ("checkpoints on disk", size(plan.checkpoints_bytes), count),
        ("samples on disk", f"about {size(plan.samples_bytes)}", f"every {plan.config.save_every:,} steps"),
    ]


def _pictures(plan: Plan) -> list[Row]:
    counts = plan.pictures.items()
    return [(f"pictures in {name}", f"{count:,}", "counted, not opened") for name, count in counts]


def size(count: int) -> str:
    """Return bytes in powers of ten, as disks are sold: `1.5 GB`."""
    for name, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.3g} {name}"
    return f"{count / 1e3:.3g} kB"
