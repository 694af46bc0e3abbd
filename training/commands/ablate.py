"""The command `ablate`, which trains and compares the variants of the paper's table 1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from training.ablation.budget import make_plan
from training.ablation.folder import AblationFolder, Options, Plan
from training.ablation.turns import Turns
from training.commands.options import shared_config_options
from training.config.run_config import from_mapping
from training.console.terminal import busy, open_console
from training.parallel.launch import Devices, launch
from training.parallel.processes import Processes
from training.plan.plan import count_pictures
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
    accelerator: str,
    values: Mapping[str, Any],
) -> None:
    """Train the eight variants of the paper's table 1 by turns, and compare them.

    All get the same number of steps: --steps, or as many as the slowest can have in --minutes. Stop the
    command at any time; the same command continues. Start it a second time to train two variants at once.
    """
    if (minutes is None) == (steps_each is None):
        raise click.UsageError("Give either --minutes or --steps.")
    options = Options(minutes=minutes, steps=steps_each, seeds=seeds, config=from_mapping(values))
    folder, console = AblationFolder(out), open_console()
    with launch(Devices(accelerator=accelerator, devices=1)) as processes:
        plan = _read_or_make_plan(folder, options, values.get("save_every"), data, processes, console)
        turns = Turns(folder, plan)
        try:
            turns.train(data, processes, console)
        except Interrupted:
            console.print("Stopped, and saved; the same command continues the ablation.")
            return


def _read_or_make_plan(
    folder: AblationFolder,
    options: Options,
    turn: int | None,
    data: Path,
    processes: Processes,
    console: Console,
) -> Plan:
    if not folder.has_plan():
        config, notes = options.config, open_console(quiet=True)
        check_fits(config, RunFolder(folder.path), count_pictures(data), processes, notes)
        with folder.making(), busy(console, "Measuring a few steps of each variant …"):
            if not folder.has_plan():
                folder.write_plan(make_plan(options, turn=turn, device=processes.device.type))
    plan = folder.read_plan()
    folder.refuse_changes(plan, options)
    return plan
