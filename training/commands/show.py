"""The commands `plan`, before a run starts, and `report`, during and after it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from models.files.text import as_text, write_text
from training.commands.hardware import hardware_options
from training.commands.options import config_options
from training.config.run_config import from_mapping
from training.console.terminal import busy, open_console
from training.parallel.launch import Devices
from training.plan.plan import count_pictures, fit_networks, make_plan
from training.plan.remarks import device_type, plan_remarks, processes
from training.plan.render import render
from training.report.page import draw_page
from training.report.read import read_run


@click.command()
@click.option(
    "--data", type=click.Path(path_type=Path), help="Data set whose pictures are counted and planned for."
)
@click.option("--measure", is_flag=True, help="Measure three real steps instead of estimating their time.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for scripts.")
@config_options
@hardware_options
def plan(
    data: Path | None, measure: bool, as_json: bool, values: Mapping[str, Any], hardware: Devices
) -> None:
    """Estimate parameters, memory, time and disk of a run. Takes the flags of fit, and starts nothing.

    Memory and time are estimates. Discriminators too deep for the size are planned with the deepest that fit.
    """
    fitting, remarks = fit_networks(values)
    config = from_mapping(fitting)
    console = open_console(stderr=as_json)
    with busy(console, "Counting what a step needs …"):
        count, local = processes(hardware)
        made = make_plan(
            config,
            count_pictures(data) if data is not None else {},
            real_steps=measure,
            device_type=device_type(hardware),
            processes=count,
            local_processes=local,
        )
    remarks += plan_remarks(made, hardware)
    if as_json:
        click.echo(json.dumps({**made.to_mapping(), "remarks": remarks}, indent=1))
    else:
        render(made, remarks, console)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The page's file.  [default: RUN/report.html]")
def report(run: Path, out: Path | None) -> None:
    """Write a RUN as one HTML page: curves, rho, samples, config, environment, checkpoints.

    The run may still be training.
    """
    page = draw_page(read_run(run))
    file = out or run / "report.html"
    write_text(file, page)
    click.echo(f"{as_text(file)}: {file.stat().st_size / 1e6:.1f} MB")
