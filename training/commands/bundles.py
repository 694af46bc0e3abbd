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

from models.bundle.declarations import Figure, FramedFace, Framing
from models.bundle.directory import refuse_to_replace
from models.bundle.manifest import split_direction
from models.files.text import as_text
from models.storage.durable import replace_file
from training.commands.source_faces import source_faces, with_face
from training.console.terminal import busy, open_console
from training.export.bundles import PreparedBundle, Provenance, prepare_bundle
from training.export.figures import read_figures
from training.export.translator import Translator
from training.methods.importing import Imported, ImportRequest
from training.methods.registry import DEFAULT, KINDS
from training.run.trained import Trained, load_trained
from training.run_folder.folder import RunFolder

_NOTES_FILE: Final = click.File(encoding="utf-8", errors="backslashreplace")


@click.command("import")
@click.argument(
    "checkpoints", nargs=-1, required=True, metavar="CHECKPOINT...", type=click.Path(path_type=Path)
)
@click.option(
    "--method",
    type=click.Choice(list(KINDS)),
    default=DEFAULT,
    show_default=True,
    help="The method whose code wrote it.",
)
@click.option("--a2b", metavar="NAME", help="Direction from A to B, such as selfie2anime.")
@click.option("--b2a", metavar="NAME", help="Direction from B to A, such as anime2selfie.")
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
    checkpoints: tuple[Path, ...],
    method: str,
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
    """Turn official CHECKPOINTs into one verified bundle per direction.

    CHECKPOINT is a file of the method's PyTorch code; for U-GAT-IT also a folder, a prefix such as
    UGATIT.model-1000001, or a ZIP archive of the TensorFlow code. Of several steps in a folder, the newest is
    taken.

    Nothing is written unless the exported graphs compute what torch computes in float64.
    """
    for name, direction in (("a2b", a2b), ("b2a", b2a)):
        if direction is None and only in (None, name):
            raise click.UsageError(f"Missing option '--{name}'; --only leaves the other direction out.")
    wanted = _wanted(a2b, b2a, only, out)
    request = ImportRequest(
        checkpoints, list(wanted), discriminators=discriminators, size=size, step=step, smoothing=smoothing
    )
    imported = KINDS[method].import_official(request)
    named = ", ".join(as_text(each) for each in checkpoints)
    _print_assumptions(imported, named)
    text = notes.read() if notes is not None else None
    steps = imported.steps if steps is None else steps
    provenance = Provenance(steps, data, licence, limits, text, checkpoint_sha256=imported.sha256)
    translators = _of_directions(imported.translators, wanted, named, discriminators=discriminators)
    _write(translators, wanted, provenance, out, discriminators=discriminators)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--a2b", metavar="NAME", help="Direction from A to B, such as selfie2anime.")
@click.option("--b2a", metavar="NAME", help="Direction from B to A, such as anime2selfie.")
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
@click.option(
    "--steps",
    type=click.IntRange(min=0),
    help="Training steps in all, for the manifest, where the run began with trained weights.  [default: the "
    "run's]",
)
@click.option("--data", help="What the run was trained on, for the manifest.")
@click.option("--licence", default="not recorded", help="Of the weights, for the manifest.")
@click.option("--limits", default="not recorded", help="Uses to avoid, for the manifest.")
@click.option("--notes", type=_NOTES_FILE, help="Markdown for the model card.")
@click.option(
    "--framing",
    type=click.Choice(get_args(Framing)),
    help="What a training picture shows: anything, or one face that fills it. Without it, face where most "
    "training pictures of the source show one; its place in them is measured.",
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
    steps: int | None,
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
        trained.step if steps is None else steps,
        data,
        licence,
        limits,
        text,
        config_sha256=trained.config_sha256,
        framing=framing,
    )
    evaluation = _evaluation(figures, wanted, trained.step)
    translators = _of_directions(trained.translators, wanted, as_text(run), discriminators=discriminators)
    faces = {} if framing == "picture" else source_faces(RunFolder(run), wanted)
    _write(translators, wanted, provenance, out, evaluation, faces, discriminators=discriminators)


def _write_official(trained: Trained, run: Path, file: Path) -> None:
    write = trained.kind.official_file
    if write is None:
        raise click.UsageError(
            f"The networks of {trained.kind.name} cannot be written in the official layout; leave --official "
            "out."
        )
    data = write(trained.networks)
    file.parent.mkdir(parents=True, exist_ok=True)
    replace_file(file, data)
    click.echo(f"Wrote the networks of step {trained.step:,} of {as_text(run)} to {as_text(file)}.")


def _evaluation(figures: Path | None, wanted: Mapping[str, str], step: int) -> dict[str, list[Figure]]:
    """Return the figures by direction; none without a file."""
    if figures is None:
        return {}
    return {name: read_figures(figures, direction, steps=step) for direction, name in wanted.items()}


def _print_assumptions(imported: Imported, checkpoints: str) -> None:
    """Print what was chosen and assumed about a checkpoint, and which entries were not read."""
    for remark in imported.remarks:
        click.echo(remark, err=True)
    if imported.assumed_size is not None:
        click.echo(
            f"{checkpoints} does not record its training size: assumed {imported.assumed_size} px. "
            "Give --size if it was another.",
            err=True,
        )
    if imported.ignored:
        ignored = ", ".join(f"{name} ({kind})" for name, kind in imported.ignored.items())
        click.echo(f"Ignored in {checkpoints}, not networks: {as_text(ignored)}.", err=True)


def _named(a2b: str | None, b2a: str | None, directions: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Return the names of A2B and B2A; a direction without a name is not exported."""
    if not directions and a2b is None and b2a is None:
        raise click.UsageError("Name a direction: --a2b, --b2a or both, such as --a2b selfie2anime.")
    if directions and (a2b is not None or b2a is not None or len(directions) > 2):
        raise click.UsageError("--direction means --a2b, and a second one --b2a; name each direction once.")
    if directions:
        a2b, b2a = [*directions, None][:2]
    return a2b, b2a


def _wanted(a2b: str | None, b2a: str | None, only: str | None, out: Path) -> dict[str, str]:
    """Return the name of each direction to export."""
    named = {direction: name for direction, name in (("A2B", a2b), ("B2A", b2a)) if name is not None}
    for name in named.values():
        split_direction(name)
    if len(set(named.values())) < len(named):
        raise click.UsageError("--a2b and --b2a name the same direction.")
    wanted = {direction: name for direction, name in named.items() if only in (None, direction.lower())}
    if not wanted:
        raise click.UsageError(f"--only {only} needs --{only}; name that direction.")
    for name in wanted.values():
        refuse_to_replace(out / name)  # before minutes of work, not after
    return wanted


def _of_directions(
    translators: Sequence[Translator], wanted: Mapping[str, str], source: str, *, discriminators: bool
) -> dict[str, Translator]:
    """Return the wanted translators by direction."""
    found = {each.direction: each for each in translators if each.direction in wanted}
    for direction in wanted:
        if direction not in found:
            raise click.UsageError(f"{source} has no translator for {direction}; name another direction.")
        if discriminators and found[direction].export_discriminators is None:
            raise click.UsageError(
                f"{source} has no discriminators for {direction} that show attention; leave "
                "--discriminators out."
            )
    return found


def _write(
    translators: Mapping[str, Translator],
    wanted: Mapping[str, str],
    provenance: Provenance,
    out: Path,
    evaluation: Mapping[str, Sequence[Figure]] = MappingProxyType({}),
    faces: Mapping[str, FramedFace] = MappingProxyType({}),
    *,
    discriminators: bool,
) -> None:
    console = open_console()
    prepared = []
    for direction, name in wanted.items():
        with busy(console, f"Exporting {name} and comparing it with torch …"):
            bundle = prepare_bundle(
                name,
                translators[direction],
                discriminators=discriminators,
                provenance=with_face(provenance, faces.get(direction))._replace(
                    evaluation=evaluation.get(name, ())
                ),
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
