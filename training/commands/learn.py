"""The commands that learn: `fit`, `resume` and `data check`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from torch import nn

from models.networks.config import ConfigError
from training.commands.options import config_options
from training.config import RunConfig, from_mapping
from training.data.check import check
from training.data.render import render
from training.fit import go_on, start
from training.importers import read_official
from training.loop import Interrupted
from training.run import RunFolder


@click.command()
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Holds trainA, trainB, testA, testB."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The run's folder, new or empty.")
@click.option("--init", type=click.Path(path_type=Path), help="An official checkpoint to start from.")
@config_options
def fit(data: Path, out: Path, init: Path | None, values: Mapping[str, Any]) -> None:
    """Train translators between the two domains of a data set."""
    config = from_mapping(values)
    networks = _official_networks(init, config) if init is not None else None
    _until_interrupted(lambda console: start(RunFolder(out), config, data, networks, console))


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
def resume(run: Path) -> None:
    """Go on with a RUN, exactly where its newest whole checkpoint stands."""
    _until_interrupted(lambda console: go_on(RunFolder(run), console))


@click.group()
def data() -> None:
    """Look at a data set before training on it."""


@data.command("check")
@click.argument("folder", type=click.Path(path_type=Path))
def check_data(folder: Path) -> None:
    """Count a FOLDER's pictures, list what cannot be read and what is there twice.

    The exit code is 1 if it cannot be trained on.
    """
    console = Console()
    with console.status(f"Looking at the pictures in {folder} …"):
        report = check(folder)
    render(report, console)
    raise SystemExit(1 if report.problems else 0)


def _until_interrupted(work: Any) -> None:
    console = Console()
    try:
        work(console)
    except Interrupted as told:
        console.print(str(told), highlight=False)


def _official_networks(path: Path, config: RunConfig) -> Mapping[str, nn.Module]:
    """The networks of an official checkpoint that the config's are shaped like.

    Raises:
        CheckpointError: the file is no such checkpoint.
        ConfigError: its networks have other shapes.
    """
    official = read_official(path, size=config.data.size)
    wanted = {"gen": config.ugatit.generator, "disG": config.ugatit.global_discriminator}
    networks: dict[str, Any] = {**official.generators, **official.discriminators}
    for name, network in networks.items():
        expected = wanted.get(name[:4]) or wanted.get(name[:3]) or config.ugatit.local_discriminator
        if network.config != expected:
            raise ConfigError(f"{path}: {name} is {network.config}, and the run's is {expected}.")
    return networks
