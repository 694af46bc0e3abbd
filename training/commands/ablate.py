"""The command `ablate`, which trains and compares the variants of the paper's table 1."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from training.ablation.budget import make_plan
from training.ablation.folder import AblationFolder, Options, Plan
from training.ablation.markdown import render_markdown
from training.ablation.table import tabulate
from training.ablation.variants import list_variants
from training.commands.options import shared_config_options
from training.commands.runs import print_results, runs_options, train_by_turns, write_results
from training.config.run_config import from_mapping
from training.console.phrases import format_duration
from training.console.terminal import busy, open_console
from training.evaluation.choice import choose_extractor
from training.evaluation.data import read_data
from training.evaluation.distances import Distances
from training.parallel.launch import Devices, launch
from training.parallel.processes import Processes
from training.plan.plan import count_pictures as count_training_pictures
from training.plan.preflight import check_fits
from training.run_folder.folder import RunFolder


@click.command()
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="The ablation's folder, new or empty."
)
@click.option(
    "--minutes", type=click.FloatRange(min=0, min_open=True), help="Minutes to train all variants together."
)
@click.option(
    "--steps", "steps_each", type=click.IntRange(min=1), help="Steps of each variant, instead of --minutes."
)
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Seeds of the full model."
)
@runs_options
@shared_config_options
def ablate(
    data: Path,
    out: Path,
    minutes: float | None,
    steps_each: int | None,
    seeds: int,
    evaluate_only: bool,
    extractor: str | None,
    inception_weights: Path | None,
    accelerator: str,
    values: Mapping[str, Any],
) -> None:
    """Train the eight variants of the paper's table 1 by turns, and compare them.

    All get the same number of steps: --steps, or as many as the slowest can have in --minutes. You may stop
    or kill the command at any time; the same command continues. Start it a second time, while it runs, to
    train two variants at once.
    """
    if (minutes is None) == (steps_each is None):
        raise click.UsageError("Give either --minutes or --steps.")
    options = Options(minutes=minutes, steps=steps_each, seeds=seeds, config=from_mapping(values))
    folder, console = AblationFolder(out), open_console()
    with launch(Devices(accelerator=accelerator, devices=1)) as processes:
        with busy(console, f"Reading the test pictures in {data} …"):
            pictures = read_data(data)
        chosen, remark = choose_extractor(extractor, inception_weights, device=processes.device.type)
        if remark is not None:
            console.print(remark)
        if not evaluate_only:
            _make_plan(folder, options, values.get("save_every"), data, processes, console)
        plan = folder.read_plan()
        folder.refuse_changes(plan, options)
        if evaluate_only or _train(folder, plan, data, processes, console):
            with folder.making():
                write_results(
                    folder,
                    plan,
                    pictures,
                    Distances(chosen, None, seed=0),
                    tabulate=partial(tabulate, plan),
                    render=render_markdown,
                    device=processes.device.type,
                    console=console,
                )
            print_results(folder, console)


def _make_plan(
    folder: AblationFolder,
    options: Options,
    turn: int | None,
    data: Path,
    processes: Processes,
    console: Console,
) -> None:
    """Plan a new ablation, and write the plan; do nothing if there is one."""
    if folder.has_plan():
        return
    config, notes = options.config, open_console(quiet=True)
    counts, runs = count_training_pictures(data), len(list_variants(config.seed, seeds=options.seeds))
    check_fits(config, RunFolder(folder.path), counts, processes, notes, runs=runs)
    with folder.making(), busy(console, "Measuring a few steps of each variant …"):
        if not folder.has_plan():  # another process may just have written it
            folder.write_plan(make_plan(options, turn=turn, device=processes.device.type))


def _train(folder: AblationFolder, plan: Plan, data: Path, processes: Processes, console: Console) -> bool:
    """Train by turns; return whether the results are to be written."""
    _print_plan(plan, console)
    return train_by_turns(folder, plan, data, processes, console, whole="ablation")


def _print_plan(plan: Plan, console: Console) -> None:
    slowest = max(plan.step_seconds, key=lambda name: plan.step_seconds[name])
    seconds = sum(plan.step_seconds[each.name] for each in plan.variants) * plan.config.steps
    console.print(
        f"{len(plan.variants)} runs of {plan.config.steps:,} steps, {plan.config.save_every:,} a turn; a "
        f"step of the slowest, {slowest}, took {plan.step_seconds[slowest]:.2g} s when the ablation was "
        f"planned: about {format_duration(seconds)} for all."
    )
