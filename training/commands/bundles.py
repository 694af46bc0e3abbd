"""The commands that make bundles: `import` from official checkpoints, `export` from runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, TextIO, get_args

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.bundle.declarations import Figure, Framing
from models.bundle.directory import refuse_to_replace
from models.bundle.manifest import split_direction
from models.files.text import as_text
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from models.storage.durable import replace_file
from training.console.terminal import busy, open_console
from training.export.bundles import DiscriminatorPair, PreparedBundle, Provenance, prepare_bundle
from training.export.figures import read_figures
from training.export.official import to_official
from training.importers.official import OfficialCheckpoint
from training.importers.read import read_checkpoint
from training.run.trained import Trained, load_trained
from training.run_folder.folder import RunFolder

_NOTES_FILE: Final = click.File(encoding="utf-8", errors="backslashreplace")


@click.command("import")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--a2b", metavar="NAME", help="Direction of genA2B, such as selfie2anime.")
@click.option("--b2a", metavar="NAME", help="Direction of genB2A, such as anime2selfie.")
@click.option("--out", default=Path("bundles"), type=click.Path(path_type=Path), show_default=True)
@click.option(
    "--size", type=int, metavar="PIXELS", help="Training size of a light checkpoint.  [default: 256]"
)
@click.option("--discriminators", is_flag=True, help="Export the discriminators too, for attention maps.")
@click.option("--only", type=click.Choice(["a2b", "b2a"]), help="Write one direction only.")
@click.option("--step", type=click.IntRange(min=0), metavar="N", help="Step of a TensorFlow checkpoint.")
@click.option(
    "--smoothing/--no-smoothing",
    default=None,
    help="Whether a TensorFlow checkpoint subtracts 0.1 from rho.  [default: as its folder's name says]",
)
@click.option("--steps", type=click.IntRange(min=0), help="Training steps, for the manifest.")
@click.option("--data", help="What the weights were trained on, for the manifest.")
@click.option("--licence", default="not recorded", help="Of the weights, for the manifest.")
@click.option("--limits", default="not recorded", help="Uses to avoid, for the manifest.")
@click.option("--notes", type=_NOTES_FILE, help="Markdown for the model card.")
def import_(
    checkpoint: Path,
    a2b: str | None,
    b2a: str | None,
    out: Path,
    size: int | None,
    discriminators: bool,
    only: str | None,
    step: int | None,
    smoothing: bool | None,
    steps: int | None,
    data: str | None,
    licence: str,
    limits: str,
    notes: TextIO | None,
) -> None:
    """Turn an official CHECKPOINT into one verified bundle per direction.

    CHECKPOINT is a file of the PyTorch code; or a folder, a prefix such as UGATIT.model-1000001, or a ZIP
    archive of the TensorFlow code. Of several steps in a folder, the newest is taken.

    Nothing is written unless the exported graphs compute what torch computes in float64.
    """
    for name, direction in (("a2b", a2b), ("b2a", b2a)):
        if direction is None and only in (None, name):
            raise click.UsageError(f"Missing option '--{name}'; --only leaves the other direction out.")
    wanted = _wanted(a2b, b2a, only, out)
    official = read_checkpoint(
        checkpoint, size=size, wanted=wanted, discriminators=discriminators, step=step, smoothing=smoothing
    )
    _print_assumptions(official, checkpoint)
    text = notes.read() if notes is not None else None
    steps = official.steps if steps is None else steps
    provenance = Provenance(steps, data, licence, limits, text, checkpoint_sha256=official.sha256)
    pairs = _discriminator_pairs(official.discriminators, wanted, checkpoint) if discriminators else {}
    _write(official.generators, pairs, wanted, provenance, out)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--a2b", metavar="NAME", help="Direction of genA2B, such as selfie2anime.")
@click.option("--b2a", metavar="NAME", help="Direction of genB2A, such as anime2selfie.")
@click.option(
    "--direction",
    "directions",
    multiple=True,
    metavar="NAME",
    help="The first means --a2b, the second --b2a.",
)
@click.option("--out", default=Path("bundles"), type=click.Path(path_type=Path), show_default=True)
@click.option("--discriminators", is_flag=True, help="Export the discriminators too, for attention maps.")
@click.option("--only", type=click.Choice(["a2b", "b2a"]), help="Write one direction only.")
@click.option("--raw", is_flag=True, help="The raw weights, even where the run keeps an average.")
@click.option("--step", type=click.IntRange(min=1), metavar="N", help="The checkpoint of step N.")
@click.option("--best", is_flag=True, help="The best checkpoint, as the report marks it.")
@click.option("--data", help="What the run was trained on, for the manifest.")
@click.option("--licence", default="not recorded", help="Of the weights, for the manifest.")
@click.option("--limits", default="not recorded", help="Uses to avoid, for the manifest.")
@click.option("--notes", type=_NOTES_FILE, help="Markdown for the model card.")
@click.option(
    "--framing",
    type=click.Choice(get_args(Framing)),
    help="What a training picture shows: anything, or one face that fills it.",
)
@click.option(
    "--figures",
    type=click.Path(path_type=Path),
    help="File of evaluate --json with figures of this checkpoint, for the manifest and the model card.",
)
@click.option(
    "--official",
    type=click.Path(path_type=Path),
    help="Write all six networks to this file instead, in the layout of the official PyTorch code.",
)
def export(
    run: Path,
    a2b: str | None,
    b2a: str | None,
    directions: tuple[str, ...],
    out: Path,
    discriminators: bool,
    only: str | None,
    raw: bool,
    step: int | None,
    best: bool,
    data: str | None,
    licence: str,
    limits: str,
    notes: TextIO | None,
    framing: Framing | None,
    figures: Path | None,
    official: Path | None,
) -> None:
    """Turn the newest checkpoint of a RUN into one verified bundle per direction.

    --best and --step choose another checkpoint. Where the run keeps a running average of the generators,
    the average is exported.
    """
    if best and step is not None:
        raise click.UsageError("--best and --step each choose a checkpoint; give only one of them.")
    if official is not None:
        if a2b is not None or b2a is not None or directions:
            raise click.UsageError("--official writes no bundles; leave --a2b, --b2a and --direction out.")
        _write_official(load_trained(RunFolder(run), raw=raw, step=step, best=best), run, official)
        return
    wanted = _wanted(*_named(a2b, b2a, directions), only, out)
    trained = load_trained(RunFolder(run), raw=raw, step=step, best=best)
    click.echo(f"Exporting step {trained.step:,} of {as_text(run)}.")
    text = notes.read() if notes is not None else None
    provenance = Provenance(
        trained.step, data, licence, limits, text, config_sha256=trained.config_sha256, framing=framing
    )
    evaluation = _evaluation(figures, wanted, trained.step)
    pairs = _discriminator_pairs(trained.discriminators, wanted, run) if discriminators else {}
    _write(trained.generators, pairs, wanted, provenance, out, evaluation)


def _write_official(trained: Trained, run: Path, file: Path) -> None:
    data = to_official(trained.generators, trained.discriminators)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, data)
    click.echo(f"Wrote the six networks of step {trained.step:,} of {as_text(run)} to {as_text(file)}.")


def _evaluation(figures: Path | None, wanted: Mapping[str, str], step: int) -> dict[str, list[Figure]]:
    """Return the figures by direction; none without a file."""
    if figures is None:
        return {}
    return {
        direction: read_figures(figures, generator.removeprefix("gen"), steps=step)
        for generator, direction in wanted.items()
    }


def _print_assumptions(official: OfficialCheckpoint, checkpoint: Path) -> None:
    """Print what was chosen and assumed about a checkpoint, and which entries were not read."""
    for remark in official.remarks:
        click.echo(remark, err=True)
    if official.size_assumed:
        size = next(iter(official.generators.values())).config.size
        click.echo(
            f"{as_text(checkpoint)} does not record its training size: assumed {size} px. "
            "Give --size if it was another.",
            err=True,
        )
    if official.ignored:
        ignored = ", ".join(f"{name} ({kind})" for name, kind in official.ignored.items())
        click.echo(f"Ignored in {as_text(checkpoint)}, not networks: {as_text(ignored)}.", err=True)


def _named(a2b: str | None, b2a: str | None, directions: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return the directions of genA2B and genB2A; one without a name is not exported."""
    if not directions and a2b is None and b2a is None:
        raise click.UsageError("Name a direction: --a2b, --b2a or both, such as --a2b selfie2anime.")
    if directions and (a2b is not None or b2a is not None or len(directions) > 2):
        raise click.UsageError("--direction means --a2b, and a second one --b2a; name each direction once.")
    if directions:
        a2b, b2a = [*directions, None][:2]
    return a2b, b2a


def _wanted(a2b: str | None, b2a: str | None, only: str | None, out: Path) -> dict[str, str]:
    """Return the direction of each generator to export."""
    named = {name: to for name, to in (("genA2B", a2b), ("genB2A", b2a)) if to is not None}
    for direction in named.values():
        split_direction(direction)
    if len(set(named.values())) < len(named):
        raise click.UsageError("--a2b and --b2a name the same direction.")
    wanted = {name: to for name, to in named.items() if only in (None, name[3:].lower())}
    if not wanted:
        raise click.UsageError(f"--only {only} needs --{only}; name that direction.")
    for direction in wanted.values():
        refuse_to_replace(out / direction)  # before minutes of work, not after
    return wanted


def _discriminator_pairs(
    discriminators: Mapping[str, Discriminator], wanted: Mapping[str, str], source: Path
) -> dict[str, DiscriminatorPair]:
    """Return the discriminators of each generator's target domain: those of B for genA2B, of A for genB2A."""
    pairs = {}
    for generator in wanted:
        local, global_ = (discriminators.get(f"dis{kind}{generator[-1]}") for kind in "LG")
        if local is None or global_ is None:
            raise click.UsageError(
                f"{source} has no discriminators for {generator}; leave --discriminators out."
            )
        pairs[generator] = DiscriminatorPair(local, global_)
    return pairs


def _write(
    generators: Mapping[str, Generator],
    pairs: Mapping[str, DiscriminatorPair],
    wanted: Mapping[str, str],
    provenance: Provenance,
    out: Path,
    evaluation: Mapping[str, Sequence[Figure]] = MappingProxyType({}),
) -> None:
    console = open_console()
    prepared = []
    for name, direction in wanted.items():
        with busy(console, f"Exporting {direction} and comparing it with torch …"):
            bundle = prepare_bundle(
                direction,
                generators[name],
                discriminators=pairs.get(name),
                provenance=provenance._replace(evaluation=evaluation.get(direction, ())),
                precisions=True,
            )
            prepared.append(bundle)
    for bundle in prepared:
        _report(console, bundle, bundle.write(out))


def _report(console: Console, bundle: PreparedBundle, path: Path) -> None:
    parity = bundle.manifest.parity
    title = f"{as_text(path)}: {parity.reference} against {parity.runtime}"
    console.print(Text(title, style="italic"), soft_wrap=True)
    table = Table()
    table.add_column("output")
    table.add_column("measured")
    table.add_column("allowed")
    table.add_row("image, largest difference", f"{parity.image_max_levels} of 255", "1 of 255")
    table.add_row("image, equal values", f"{parity.image_equal:.3%}", "at least 99.5 %")
    for name in ("cam_logit", "attention", "discriminators"):
        off = getattr(parity, f"{name}_relative")
        if off is not None:
            table.add_row(f"{name}, relative", f"{off:.1e}", "1e-3")
    for name, measured in bundle.manifest.precisions.items():
        ratio = "equal" if measured.psnr_db is None else f"{measured.psnr_db} dB"
        table.add_row(f"image, in {name}", ratio, "45 dB to be served")
    console.print(table, soft_wrap=False)
