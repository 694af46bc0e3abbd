"""The commands `fit`, `resume` and `data check`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console

from training.commands.hardware import hardware_options
from training.commands.options import config_options, precision_option, with_precision
from training.config.run_config import from_mapping
from training.console.terminal import busy, open_console
from training.data.check import check
from training.data.render import render
from training.evaluation.in_training import open_evaluator
from training.methods.finite_updates import NonFiniteError
from training.parallel.launch import Devices, launch
from training.parallel.processes import OtherProcessError, Processes
from training.run.fit import resume_run, start_run
from training.run.loop import Interrupted
from training.run_folder.folder import RunFolder

_yes_option: Final = click.option(
    "--yes", is_flag=True, help="Start even if memory or disk are estimated to be too small."
)


@click.command()
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Data set with trainA, trainB, testA, testB.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The run's folder, new or empty.")
@click.option(
    "--init",
    type=click.Path(path_type=Path),
    help="A run, or an official PyTorch or TensorFlow checkpoint, to start from.",
)
@_yes_option
@config_options
@hardware_options
def fit(
    data: Path, out: Path, init: Path | None, yes: bool, values: Mapping[str, Any], hardware: Devices
) -> None:
    """Train translators between the two domains of a data set.

    Memory, disk and time are estimated before the first step.
    """

    def work(processes: Processes, console: Console) -> None:
        with processes.fail_together():
            config = from_mapping(values)
        start_run(
            RunFolder(out), config, data, init, processes, console, open_evaluator=open_evaluator, anyway=yes
        )

    _until_interrupted(hardware, work)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="New folder of the data set, if it was moved.")
@click.option(
    "--steps",
    type=int,
    help="New number of steps of the whole run. The learning rate at each step becomes that of a run planned "
    "with so many steps: a finished run continues at a higher rate than it ended with.",
)
@click.option("--accumulate", type=int, help="New number of passes in a step.")
@_yes_option
@precision_option
@hardware_options
def resume(
    run: Path,
    data: Path | None,
    steps: int | None,
    accumulate: int | None,
    yes: bool,
    precision: str | None,
    hardware: Devices,
) -> None:
    """Continue a RUN exactly from its newest checkpoint, or make it longer with --steps."""
    given = {"steps": steps, "accumulate": accumulate}
    changes = {name: value for name, value in given.items() if value is not None}

    def work(processes: Processes, console: Console) -> None:
        whole = with_precision(changes, precision)
        resume_run(
            RunFolder(run), whole, processes, console, data=data, open_evaluator=open_evaluator, anyway=yes
        )

    _until_interrupted(hardware, work)


@click.group()
def data() -> None:
    """Check a data set before training on it."""


@data.command("check")
@click.argument("folder", type=click.Path(path_type=Path))
def check_data(folder: Path) -> None:
    """Count a FOLDER's pictures; list unreadable, duplicate and flat ones; measure how faces are framed.

    The exit code is 1 if fit would refuse the data set.
    """
    console = open_console()
    with busy(console, f"Checking the pictures in {folder} …"):
        report = check(folder)
    render(report, console)
    raise SystemExit(1 if report.problems else 0)


def _until_interrupted(hardware: Devices, train: Callable[[Processes, Console], None]) -> None:
    """Train on this hardware; only the first process prints."""
    with launch(hardware) as processes:
        console = open_console(quiet=processes.rank > 0)
        try:
            train(processes, console)
        except Interrupted as interrupted:
            console.print(str(interrupted), highlight=False)
        except NonFiniteError as error:
            if processes.rank > 0:
                raise OtherProcessError from error
            raise
