"""The command `ugatit-train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TextIO

import click
from rich.console import Console
from rich.table import Table

from models.bundle.errors import BundleError
from models.bundle.files import refuse_to_replace
from models.bundle.manifest import split_direction
from models.networks.config import ConfigError
from training.export.bundles import Facts, Judges, PreparedBundle, prepare_bundle
from training.export.parity import ParityError
from training.importers import CheckpointError, OfficialCheckpoint, read_official


@click.group()
def cli() -> None:
    """Train U-GAT-IT translators, and turn checkpoints into bundles that can be served."""


@cli.command("import")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--a2b", required=True, metavar="NAME", help="Direction of genA2B, such as selfie2anime.")
@click.option("--b2a", required=True, metavar="NAME", help="Direction of genB2A, such as anime2selfie.")
@click.option("--out", default=Path("bundles"), type=click.Path(path_type=Path), show_default=True)
@click.option(
    "--size", type=int, metavar="PIXELS", help="Training size of a light checkpoint.  [default: 256]"
)
@click.option("--discriminators", is_flag=True, help="Export the discriminators too, for their attention.")
@click.option("--only", type=click.Choice(["a2b", "b2a"]), help="Write one direction only.")
@click.option("--steps", type=click.IntRange(min=0), help="Training steps, for the manifest.")
@click.option("--data", help="What the weights were trained on, for the manifest.")
@click.option("--licence", default="not recorded", help="Of the weights, for the manifest.")
@click.option("--limits", default="not recorded", help="What not to use the weights for, for the manifest.")
@click.option("--notes", type=click.File(), help="Markdown for the model card.")
def import_(
    checkpoint: Path,
    a2b: str,
    b2a: str,
    out: Path,
    size: int | None,
    discriminators: bool,
    only: str | None,
    steps: int | None,
    data: str | None,
    licence: str,
    limits: str,
    notes: TextIO | None,
) -> None:
    """Turn an official PyTorch CHECKPOINT into one verified bundle per direction.

    Nothing is written unless the exported graphs compute what torch computes in float64.
    """
    names = {direction: split_direction(direction) for direction in (a2b, b2a)}
    if len(names) < 2:
        raise click.UsageError("--a2b and --b2a name the same direction.")
    wanted = {name: to for name, to in (("genA2B", a2b), ("genB2A", b2a)) if only in (None, name[3:].lower())}
    for direction in wanted.values():
        refuse_to_replace(out / direction)  # now rather than after minutes of work
    official = read_official(checkpoint, size=size)
    judges = {name: _judges(official, name) for name in wanted} if discriminators else {}
    if missing := [name for name, found in judges.items() if found is None]:
        raise click.UsageError(
            f"{checkpoint} holds no discriminators for {' and '.join(missing)}; leave --discriminators out."
        )
    text = notes.read() if notes is not None else None
    facts = Facts(steps, data, licence, limits, text, official.sha256)
    console = Console()
    prepared = []
    for generator, direction in wanted.items():
        with console.status(f"Exporting {direction} and proving it against torch …"):
            network = official.generators[generator]
            prepared.append(prepare_bundle(direction, network, judges=judges.get(generator), facts=facts))
    for bundle in prepared:
        path = bundle.write(out)
        _report(console, bundle, path)


def _judges(official: OfficialCheckpoint, generator: str) -> Judges | None:
    """genA2B's pictures are judged by the discriminators of B, genB2A's by those of A."""
    local, global_ = (official.discriminators.get(f"dis{kind}{generator[-1]}") for kind in "LG")
    return Judges(local, global_) if local and global_ else None


def _report(console: Console, bundle: PreparedBundle, path: Path) -> None:
    parity = bundle.manifest.parity
    table = Table(title=f"{path}: {parity.reference} against {parity.runtime}", title_justify="left")
    table.add_column("output")
    table.add_column("measured")
    table.add_column("allowed")
    table.add_row("image, largest difference", f"{parity.image_max_levels} of 255", "1 of 255")
    table.add_row("image, equal values", f"{parity.image_equal:.3%}", "at least 99.5 %")
    for name in ("cam_logit", "attention", "discriminators"):
        off = getattr(parity, f"{name}_relative")
        if off is not None:
            table.add_row(f"{name}, relative", f"{off:.1e}", "1e-3")
    console.print(table)


def main() -> None:
    """Run the command; a user's mistake is one line and exit code 2."""
    try:
        cli.main(prog_name="ugatit-train", standalone_mode=False)
    except click.ClickException as error:
        _fail(error.format_message())
    except click.Abort:
        sys.exit(130)
    except (BundleError, CheckpointError, ConfigError, ParityError) as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'the disk'}: {error.strerror}.")


def _fail(sentence: str) -> None:
    click.echo(f"ugatit-train: {' '.join(sentence.split())}", err=True)
    sys.exit(2)
