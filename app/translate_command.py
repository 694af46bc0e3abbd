"""The command `ugatit translate`."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import get_args

import click

from app.console import say
from app.engine.render_options import Format, View
from app.settings.load import load_settings
from models.bundle.declarations import PARTS, Network, Part
from models.images.frame import Fit
from models.images.heatmap import Colormap


@click.command()
@click.argument(
    "sources",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FILE_OR_FOLDER...",
)
@click.option("--direction", required=True, help="The direction, for example selfie2anime.")
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the results."
)
@click.option("--fit", type=click.Choice(get_args(Fit)), default="cover", show_default=True)
@click.option("--format", "format_", type=click.Choice(get_args(Format)), default="png", show_default=True)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Share of the heat map's colours in the overlay.",
)
@click.option("--colormap", type=click.Choice(get_args(Colormap)), default="jet", show_default=True)
@click.option(
    "--network",
    "networks",
    multiple=True,
    type=click.Choice(get_args(Network)),
    default=["generator"],
    show_default=True,
    help="Network whose heat map is written; local and global are the discriminators. May be repeated.",
)
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(PARTS),
    default=["both"],
    show_default=True,
    help="Part of the heat map; both is the paper's map. May be repeated.",
)
@click.option("--view", type=click.Choice(get_args(View)), default="overlay", show_default=True)
@click.option("--legend", is_flag=True, help="Add the colours with their values below a heat map.")
@click.option(
    "--map-size",
    type=click.IntRange(1, 1024),
    metavar="PIXELS",
    help="Longer side of a heat map.  [default: the network's]",
)
@click.option(
    "--bundles", type=click.Path(path_type=Path), help="Folder of the bundles; overrides UGATIT_BUNDLES_DIR."
)
def translate(
    sources: tuple[Path, ...],
    direction: str,
    out: Path,
    fit: Fit,
    format_: Format,
    alpha: float,
    colormap: Colormap,
    networks: tuple[Network, ...],
    parts: tuple[Part, ...],
    view: View,
    legend: bool,
    map_size: int | None,
    bundles: Path | None,
) -> None:
    """Translate pictures and folders of pictures without a server.

    Writes the translation of each picture NAME into the folder --out and, if the model has attention,
    NAME.overlay: the generator's heat map over the picture. A discriminator's is over the translation,
    NAME.overlay-local; a part of it is NAME.overlay-local-average. Lists pictures that cannot be read at the
    end and then exits with code 1. Counts and names the other files of a folder. Put -- before names that
    begin with a dash.
    """
    from app.engine.render_options import MEDIA_TYPES, RenderOptions
    from app.translate_files import HeatMaps, Plan, PlanError, find_jobs, translate_files

    _handle_interrupts()
    settings = load_settings()
    if bundles is not None:
        settings = settings.model_copy(update={"bundles_dir": bundles})
    options = RenderOptions(MEDIA_TYPES[format_], settings.jpeg_quality, alpha, colormap)
    heat_maps = HeatMaps(networks, parts, view, map_size, legend)
    plan = Plan(sources, out, direction, fit, options, heat_maps)
    try:
        jobs, remarks = find_jobs(plan)
        failures = translate_files(plan, jobs, settings)
    except PlanError as error:
        raise click.UsageError(str(error)) from None
    for remark in remarks:
        say(remark)
    for path, reason in failures:
        say(f"{path}: {reason}")
    sys.exit(1 if failures else 0)


def _handle_interrupts() -> None:
    """Handle SIGINT even if a shell started the command with `&`, which makes it ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
