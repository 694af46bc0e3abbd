"""The command `ablate`, which trains and compares the variants of the paper's table 1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from models.files.text import ESCAPED, as_text
from models.storage.durable import replace_file
from training.ablation.budget import make_plan
from training.ablation.folder import AblationFolder, Options, Plan
from training.ablation.gallery import draw_gallery
from training.ablation.markdown import render_markdown
from training.ablation.measure import count_pictures, measure_variants
from training.ablation.table import tabulate
from training.ablation.turns import Turns
from training.ablation.variants import list_variants, title
from training.commands.options import shared_config_options
from training.config.run_config import from_mapping
from training.console.phrases import format_duration
from training.console.progress import counting_pictures
from training.console.terminal import busy, open_console
from training.evaluation.choice import EXTRACTORS, choose_extractor
from training.evaluation.data import EvaluationData, read_data
from training.evaluation.distances import Distances
from training.evaluation.document import to_json
from training.parallel.launch import Devices, launch
from training.parallel.processes import Processes
from training.plan.plan import count_pictures as count_training_pictures
from training.plan.preflight import check_fits
from training.run.loop import Interrupted
from training.run_folder.folder import RunFolder


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Data set with trainA, trainB, testA, testB.",
)
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
@click.option("--evaluate-only", is_flag=True, help="Compare the variants as they are, without training.")
@click.option(
    "--extractor",
    type=click.Choice(EXTRACTORS),
    help="[default: inception if its weights are on this machine]",
)
@click.option("--inception-weights", type=click.Path(path_type=Path), help="File of Inception's weights.")
@click.option(
    "--accelerator",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="auto is cuda where torch finds a GPU.",
)
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
            distances = Distances(chosen, None, seed=0)
            _write_results(folder, plan, pictures, distances, processes.device.type, console)


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
    turns = Turns(folder, plan)
    try:
        turns.train(data, processes, console)
    except Interrupted:
        console.print("Stopped, and saved; the same command continues the ablation.")
        return False
    if others := turns.unfinished():
        names = ", ".join(map(title, others))
        console.print(f"Another process trains {names}; it writes the results when it ends.")
        return False
    return True


def _print_plan(plan: Plan, console: Console) -> None:
    slowest = max(plan.step_seconds, key=lambda name: plan.step_seconds[name])
    seconds = sum(plan.step_seconds[each.name] for each in plan.variants) * plan.config.steps
    console.print(
        f"{len(plan.variants)} runs of {plan.config.steps:,} steps, {plan.config.save_every:,} a turn; a "
        f"step of the slowest, {slowest}, took {plan.step_seconds[slowest]:.2g} s when the ablation was "
        f"planned: about {format_duration(seconds)} for all."
    )


def _write_results(
    folder: AblationFolder,
    plan: Plan,
    pictures: EvaluationData,
    distances: Distances,
    device: str,
    console: Console,
) -> None:
    """Evaluate the variants; write every figure, the table as JSON and Markdown, and the gallery."""
    with folder.making():
        total = count_pictures(plan, pictures)
        with counting_pictures(console, "Evaluating pictures", total) as advance:
            measured = measure_variants(folder, plan, pictures, distances, device=device, advance=advance)
        with busy(console, "Drawing the gallery …"):
            page = draw_gallery(folder, plan, measured, pictures, device=device)
        table = tabulate(plan, measured)
        replace_file(folder.figures, to_json(measured.document))
        replace_file(folder.table, to_json(table))
        replace_file(folder.markdown, render_markdown(table).encode())
        replace_file(folder.gallery, page.encode("utf-8", ESCAPED))
    for file in (folder.figures, folder.table, folder.markdown, folder.gallery):
        console.print(f"{as_text(file)}: {file.stat().st_size / 1e6:.2f} MB")
