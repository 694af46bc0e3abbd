"""The commands that learn: `fit`, `resume` and `data check`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from torch import nn

from models.networks.config import ConfigError
from training.ablations import ABLATIONS
from training.config import RunConfig, from_mapping, load_preset, merged, presets
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
@click.option(
    "--preset", default="official-pytorch", show_default=True, help=f"One of {', '.join(presets())}."
)
@click.option("--ablation", type=click.Choice(list(ABLATIONS)), help="One of the paper's table 1.")
@click.option("--size", type=int, metavar="PIXELS", help="Of the pictures and the networks.")
@click.option("--channels", type=int, help="Base channels of every network.")
@click.option("--batch", type=int, help="Pictures of each domain in a step.")
@click.option("--steps", type=int, help="Steps to train.")
@click.option("--save-every", type=int, help="Steps between two checkpoints.")
@click.option("--seed", type=int, help="Of weights, order and augmentation.")
@click.option("--init", type=click.Path(path_type=Path), help="An official checkpoint to start from.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Any value of the config.")
def fit(
    data: Path,
    out: Path,
    preset: str,
    ablation: str | None,
    size: int | None,
    channels: int | None,
    batch: int | None,
    steps: int | None,
    save_every: int | None,
    seed: int | None,
    init: Path | None,
    assignments: tuple[str, ...],
) -> None:
    """Train translators between the two domains of a data set."""
    flags = {"batch": batch, "steps": steps, "save_every": save_every, "seed": seed}
    changes: dict[str, Any] = {name: value for name, value in flags.items() if value is not None}
    changes = merged(changes, _sizes(size, channels))
    if ablation is not None:
        changes = merged(changes, {"ugatit": ABLATIONS[ablation]})
    for assignment in assignments:
        changes = merged(changes, _assigned(assignment))
    config = from_mapping(merged(load_preset(preset), changes))
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


def _sizes(size: int | None, channels: int | None) -> dict[str, Any]:
    """`--size` and `--channels` mean the same for pictures and every network."""
    changes: dict[str, Any] = {}
    if size is not None:
        changes = {"data": {"size": size}, "ugatit": {"generator": {"size": size}}}
    if channels is not None:
        networks = ("generator", "global_discriminator", "local_discriminator")
        changes = merged(changes, {"ugatit": {name: {"channels": channels} for name in networks}})
    return changes


def _assigned(assignment: str) -> dict[str, Any]:
    """`ugatit.generator.cam=false` as nested mappings; values are TOML's, and bare words are strings.

    Raises:
        ConfigError: it is no assignment.
    """
    name, equals, value = assignment.partition("=")
    if not equals or not name.strip():
        raise ConfigError(f"--set {assignment} is no assignment; write NAME=VALUE, such as batch=4.")
    try:
        parsed = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    nested: Any = parsed
    for part in reversed(name.strip().split(".")):
        nested = {part: nested}
    return dict(nested)


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
