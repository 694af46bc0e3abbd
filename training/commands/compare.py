"""The command `compare`, which trains several methods under one budget and compares them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from models.files.text import as_text
from training.ablation.measure import Measured
from training.commands.options import file_options, precision_option, values_of
from training.commands.runs import print_results, runs_options, train_by_turns, write_results
from training.comparison.bundles import export_bundles
from training.comparison.plan import ComparisonFolder, ComparisonPlan, Options, make_plan
from training.comparison.table import render_markdown, tabulate
from training.config.run_config import from_mapping
from training.console.phrases import format_duration
from training.console.terminal import busy, open_console
from training.evaluation.choice import choose_extractor
from training.evaluation.data import EvaluationData, read_data
from training.evaluation.distances import Distances
from training.evaluation.domains import name_domains
from training.methods.registry import KINDS, find_kind
from training.parallel.launch import Devices, launch
from training.parallel.processes import Processes
from training.plan.plan import fit_networks

_PROFILES: Final = ("author", "common")


@click.command()
@click.option(
    "--methods",
    default=",".join(KINDS),
    show_default=True,
    help="The methods, with commas between them.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The comparison's folder, new or empty."
)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="Minutes to train all methods together."
)
@click.option(
    "--steps", "steps_each", type=click.IntRange(min=1), help="Steps of each method, instead of --minutes."
)
@click.option(
    "--profile",
    type=click.Choice(_PROFILES),
    default="common",
    show_default=True,
    help="author: each method's official settings. common: one data pipeline and equal updates.",
)
@click.option("--size", type=int, metavar="PIXELS", help="Size of the pictures and the networks.")
@click.option("--channels", type=int, help="Base channels of every network.")
@click.option("--batch", type=int, help="Pictures of each domain in a pass.")
@click.option("--seed", type=int, help="Seed of weights, order and augmentation.")
@click.option("--save-every", type=int, help="Steps of a turn.")
@precision_option
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="A config key of all methods, such as average_decay=0.999, or one in the section of a method.",
)
@runs_options
@file_options
def compare(
    methods: str,
    data: Path,
    out: Path,
    minutes: float | None,
    steps_each: int | None,
    profile: str,
    evaluate_only: bool,
    extractor: str | None,
    inception_weights: Path | None,
    accelerator: str,
    **flags: Any,
) -> None:
    """Train several methods by turns on the same data, and compare them in one table and one gallery.

    All get the same number of generator updates: --steps, or as many as fit into --minutes together. You may
    stop or kill the command at any time; the same command continues. The bundles that it writes at the end
    are ready for ugatit study.
    """
    if (minutes is None) == (steps_each is None):
        raise click.UsageError("Give either --minutes or --steps.")
    values, remarks = _configs(methods, profile, flags)
    configs = {name: from_mapping(each) for name, each in values.items()}
    options = Options(minutes=minutes, steps=steps_each, profile=profile, configs=configs)
    folder, console = ComparisonFolder(out), open_console()
    with launch(Devices(accelerator=accelerator, devices=1)) as processes:
        with busy(console, f"Reading the test pictures in {data} …"):
            pictures = read_data(data)
        chosen, remark = choose_extractor(extractor, inception_weights, device=processes.device.type)
        if remark is not None:
            console.print(remark)
        if not evaluate_only:
            _make_plan(folder, options, flags.get("save_every"), tuple(remarks), processes, console)
        plan = folder.read_plan()
        folder.refuse_changes(plan, options)
        if evaluate_only or _train(folder, plan, data, processes, console):
            with folder.making():
                measured = write_results(
                    folder,
                    plan,
                    pictures,
                    Distances(chosen, None, seed=0),
                    tabulate=partial(tabulate, folder, plan),
                    render=render_markdown,
                    device=processes.device.type,
                    console=console,
                )
                bundles = _export(folder, measured, pictures, console)
            print_results(folder, console)
            _print_study(bundles, pictures.folder, console)


def _configs(
    methods: str, profile: str, flags: Mapping[str, Any]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Return the values of each method's config, and remarks on what was changed to fit the pictures."""
    names = list(dict.fromkeys(name.strip() for name in methods.split(",") if name.strip()))
    if not names:
        raise click.UsageError(f"--methods needs a method; the methods are {', '.join(KINDS)}.")
    found: dict[str, dict[str, Any]] = {}
    remarks: list[str] = []
    for name in names:
        kind = find_kind(name)
        own = [each for each in flags["assignments"] if _concerns(each, name)]
        values = values_of(kind, profile, {**flags, "assignments": own})
        found[name], changes = fit_networks(values)
        remarks += changes
    return found, remarks


def _concerns(assignment: str, method: str) -> bool:
    """Return whether a `--set` is for a method: for all of them, unless it names the section of one."""
    section = assignment.partition("=")[0].strip().partition(".")[0]
    return section not in KINDS or section == method


def _make_plan(
    folder: ComparisonFolder,
    options: Options,
    turn: int | None,
    remarks: tuple[str, ...],
    processes: Processes,
    console: Console,
) -> None:
    """Plan a new comparison, and write the plan; do nothing if there is one."""
    if folder.has_plan():
        return
    with folder.making(), busy(console, "Measuring a few steps of each method …"):
        if not folder.has_plan():  # another process may just have written it
            made = make_plan(options, turn=turn, remarks=remarks, device=processes.device.type)
            folder.write_plan(made)


def _train(
    folder: ComparisonFolder, plan: ComparisonPlan, data: Path, processes: Processes, console: Console
) -> bool:
    """Train by turns; return whether the results are to be written."""
    _print_plan(plan, console)
    return train_by_turns(folder, plan, data, processes, console, whole="comparison")


def _print_plan(plan: ComparisonPlan, console: Console) -> None:
    for remark in plan.all_remarks:
        console.print(remark, soft_wrap=True, highlight=False)
    seconds = sum(plan.step_seconds.values()) * plan.config.steps
    each = ", ".join(f"{plan.title(it)} {plan.step_seconds[it.name]:.2g} s" for it in plan.variants)
    console.print(
        f"{len(plan.variants)} methods, {plan.config.steps:,} generator updates each, "
        f"{plan.config.save_every:,} a turn; a step when the comparison was planned: {each}: about "
        f"{format_duration(seconds)} for all."
    )


def _export(
    folder: ComparisonFolder, measured: Measured, pictures: EvaluationData, console: Console
) -> list[Path]:
    """Write a bundle of each method and direction; return their folders."""
    with busy(console, "Exporting the bundles and comparing them with torch …"):
        domains = name_domains(pictures.folder, None, [])
        return export_bundles(folder, measured, domains, data=as_text(pictures.folder.resolve().name))


def _print_study(bundles: Sequence[Path], data: Path, console: Console) -> None:
    """Print the commands that let people choose between the methods."""
    by_direction: dict[str, list[str]] = {}
    for bundle in bundles:
        by_direction.setdefault(bundle.name, []).append(as_text(bundle))
    for paths in by_direction.values():
        if len(paths) > 1:
            line = f"ugatit study {' '.join(paths)} --data {as_text(data)}"
            console.print(line, soft_wrap=True, highlight=False)
