"""The command `gallery`, which shows test pictures and their translations on one page."""

from __future__ import annotations

import os
from pathlib import Path

import click

from models.files.text import ESCAPED, as_text
from models.storage.durable import replace_file
from training.commands.hardware import accelerator_option, choose_device
from training.console.progress import counting_pictures
from training.console.terminal import busy, open_console
from training.data.folder import DOMAINS
from training.evaluation.data import read_data
from training.evaluation.errors import EvaluationError
from training.gallery.collect import collect, count_translations, limited
from training.gallery.page import draw_page
from training.gallery.pictures import plan_sizes
from training.gallery.subjects import Checkpoints, plan_columns


@click.command("gallery")
@click.argument("paths", metavar="BUNDLE_OR_RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Data set with testA and testB.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The page's file.")
@click.option("--a2b", metavar="NAME", help="Direction from testA to testB, such as selfie2anime.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Most pictures of each domain, evenly spread.",
)
@click.option("--checkpoints", is_flag=True, help="A column for every kept checkpoint of a run.")
@click.option(
    "--step",
    "steps",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="A column for a run's checkpoint of step N; can be repeated.",
)
@click.option("--best", is_flag=True, help="A run's checkpoint of the lowest score, not the newest.")
@accelerator_option
def gallery_command(
    paths: tuple[Path, ...],
    data: Path,
    out: Path,
    a2b: str | None,
    limit: int,
    checkpoints: bool,
    steps: tuple[int, ...],
    best: bool,
    accelerator: str,
) -> None:
    """Write one HTML page with every test picture, its translations, attention and reconstructions.

    The page needs no network and no other file. Its pictures can be sorted by cycle error and by CAM
    probability. Two bundles of opposite directions serve each other for the reconstruction. A run is shown
    with its averaged weights, where it keeps them.
    """
    chosen = _checkpoints(checkpoints, steps, best)
    _refuse_out(out)
    console, device = open_console(), choose_device(accelerator)
    with busy(console, "Verifying and opening runs and bundles …"):
        columns, domains = plan_columns(paths, data, a2b=a2b, checkpoints=chosen, device=device)
    sources = [domain for domain in DOMAINS if any(domain in column.sources for column in columns)]
    with busy(console, f"Reading the test pictures in {data} …"):
        read = read_data(data, domains=sources, least=1)
    pictures = limited(read, limit)
    counts, translations = (
        [pictures.count(domain) for domain in DOMAINS],
        count_translations(columns, pictures),
    )
    sizes = plan_sizes(sum(counts), translations, rows=max(counts))
    with counting_pictures(console, "Translating pictures", translations) as advance:
        gallery = collect(columns, pictures, sizes=sizes, advance=advance)
    page = draw_page(gallery, pictures, domains, found={domain: read.count(domain) for domain in DOMAINS})
    out.parent.mkdir(parents=True, exist_ok=True)
    replace_file(out, page.encode("utf-8", ESCAPED))
    shown = ", ".join(
        f"{len(each.names)} of {read.count(each.source)} in test{each.source}" for each in gallery.sections
    )
    click.echo(f"{as_text(out)}: {out.stat().st_size / 1e6:.1f} MB; pictures: {shown}")


def _checkpoints(every: bool, steps: tuple[int, ...], best: bool) -> Checkpoints:
    if every + bool(steps) + best > 1:
        raise click.UsageError(
            "--checkpoints, --step and --best each choose checkpoints; give only one of them."
        )
    return "all" if every else "best" if best else tuple(dict.fromkeys(steps)) or "newest"


def _refuse_out(out: Path) -> None:
    """Refuse a file that cannot be written, before minutes of work."""
    if out.is_dir():
        raise EvaluationError(
            f"--out needs a file, and {out} is a folder; name a file, such as {out / 'page.html'}."
        )
    there = next(parent for parent in out.absolute().parents if parent.exists())
    if not there.is_dir() or not os.access(there, os.W_OK):
        raise EvaluationError(
            f"--out {out} cannot be written, because {there} is no folder that you may write to."
        )
