"""The command `ugatit translate`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from app.console import say
from app.engine.face_choice import FaceMode
from app.engine.planning import FrameChoice
from app.engine.render_options import Format, View
from app.settings.load import load_settings
from app.translate_choices import Place, check_engine, face_choice, refuse_faces_of_native, style_choice
from app.translate_report import print_report, write_report_gallery
from models.bundle.declarations import PARTS, Network, Part
from models.bundle.style_codes import LARGEST_SEED
from models.files.text import as_text
from models.images.frame import Fit
from models.images.heatmap import Colormap

if TYPE_CHECKING:
    from app.settings.settings import Settings
    from app.translate_plan import Plan, Report


@click.command()
@click.argument(
    "sources",
    nargs=-1,
    required=True,
    type=Place(exists=True),
    metavar="FILE_OR_FOLDER...",
)
@click.option("--direction", required=True, help="The direction, for example selfie2anime.")
@click.option("--out", required=True, type=Place(file_okay=False), help="Folder for the results.")
@click.option(
    "--fit",
    type=click.Choice(get_args(Fit)),
    default="cover",
    show_default=True,
    help="cover takes the centre square; contain pads; stretch distorts; native translates the picture at "
    "its own shape and size, up to UGATIT_NATIVE_PIXELS.",
)
@click.option(
    "--face",
    "mode",
    type=click.Choice(get_args(FaceMode)),
    help="Faces to translate, turned upright and framed: auto takes the largest, or the picture as --fit "
    "says if there is none; largest, all and at (with --x and --y) need one; none searches for none.  "
    "[default: auto for a bundle of faces, unless --fit is contain or stretch; else none]",
)
@click.option("--x", type=click.FloatRange(min=0), help="With --face at: pixels from the left edge.")
@click.option("--y", type=click.FloatRange(min=0), help="With --face at: pixels from the top.")
@click.option(
    "--paste", is_flag=True, help="Put translations back into the whole pictures; --face all always does."
)
@click.option(
    "--frames",
    type=click.Choice(get_args(FrameChoice)),
    default="all",
    show_default=True,
    help="Frames of animated files; the translation of all is animated, but a JPEG shows the first.",
)
@click.option(
    "--style",
    "seed",
    type=click.IntRange(0, LARGEST_SEED),
    metavar="SEED",
    help="For a bundle with styles: the style; the same seed gives the same pictures.  [default: 0]",
)
@click.option(
    "--reference",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="For a bundle with styles: a picture of the target domain whose style is taken.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(get_args(Format)),
    help="Format of the results.  [default: png; gif for the translation of a GIF]",
)
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
@click.option("--force", is_flag=True, help="Translate pictures again whose results are in --out already.")
@click.option(
    "--gallery",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="PAGE.html",
    help="Write the pictures with their translations as one HTML page.",
)
@click.option(
    "--engine",
    "engine_name",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="What translates: this process, or processes on the Ray cluster at RAY_ADDRESS; without that "
    "variable, Ray is started on this machine. With ray, sources and --out may be URLs such as "
    "s3://bucket/prefix.",
)
@click.option(
    "--translators",
    type=click.IntRange(1),
    metavar="N",
    help="With --engine ray: the most processes that translate.  [default: one for each GPU, else each core]",
)
@click.option(
    "--bundles", type=click.Path(path_type=Path), help="Folder of the bundles; overrides UGATIT_BUNDLES_DIR."
)
def translate(
    sources: tuple[str | Path, ...],
    direction: str,
    out: str | Path,
    fit: Fit,
    mode: FaceMode | None,
    x: float | None,
    y: float | None,
    paste: bool,
    frames: FrameChoice,
    seed: int | None,
    reference: Path | None,
    format_: Format | None,
    alpha: float,
    colormap: Colormap,
    networks: tuple[Network, ...],
    parts: tuple[Part, ...],
    view: View,
    legend: bool,
    map_size: int | None,
    force: bool,
    gallery: Path | None,
    engine_name: str,
    translators: int | None,
    bundles: Path | None,
) -> None:
    """Translate pictures and folders of pictures without a server.

    Writes the translation of each picture NAME into the folder --out and, if the model has attention,
    NAME.overlay: the generator's heat map over the picture. A discriminator's is over the translation,
    NAME.overlay-local; a part of it is NAME.overlay-local-average. With --paste, translations and heat maps
    show the whole picture. The translation of an animated file is animated; its heat maps show the first
    frame. Skips pictures whose results are there already, so an interrupted command continues where it was.
    Lists pictures that cannot be read or translated at the end and then exits with code 1. Counts and names
    the other files of a folder. Put -- before names that begin with a dash.
    """
    from app.engine.render_options import MEDIA_TYPES, RenderOptions
    from app.translate_plan import Plan
    from app.translated_maps import HeatMaps

    if gallery is not None and gallery.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"--gallery must be the name of an .html file, got {as_text(gallery)}.")
    urls = [place for place in (*sources, out) if isinstance(place, str)]
    check_engine(engine_name, urls, translators, gallery)
    _handle_interrupts()
    settings = load_settings()
    if bundles is not None:
        settings = settings.model_copy(update={"bundles_dir": bundles})
    options = RenderOptions(MEDIA_TYPES[format_ or "png"], settings.jpeg_quality, alpha, colormap)
    refuse_faces_of_native(fit, mode, paste)
    heat_maps = HeatMaps(networks, parts, view, map_size, legend)
    plan = Plan(
        () if urls else tuple(map(Path, sources)),
        Path() if urls else Path(out),
        direction,
        fit,
        options,
        heat_maps,
        face_choice(mode, x, y),
        paste,
        frames,
        style_choice(seed, reference),
        keeps_gif=format_ is None,
        force=force,
    )
    if engine_name == "ray":
        report = _on_ray(plan, sources, out, settings, translators)
    else:
        report = _in_this_process(plan, settings)
    if gallery is not None:
        write_report_gallery(gallery, direction, report)
    print_report(report, out)
    sys.exit(1 if report.failures else 0)


def _in_this_process(plan: Plan, settings: Settings) -> Report:
    from app.translate_files import translate_files
    from app.translate_plan import PlanError, Remarkable, Report, find_jobs

    remarkable = Remarkable([], [])
    try:
        jobs, remarks = find_jobs(plan)
        failures = translate_files(plan, jobs, settings, remarkable)
    except PlanError as error:
        raise click.UsageError(str(error)) from None
    return Report(
        {str(job.source): list(map(str, job.results)) for job in jobs},
        remarks,
        [(str(path), reason) for path, reason in failures],
        list(map(str, remarkable.finished)),
        list(map(str, remarkable.without_face)),
    )


def _on_ray(
    plan: Plan, sources: Sequence[str | Path], out: str | Path, settings: Settings, translators: int | None
) -> Report:
    from app.many.ray_environment import prepare_environment

    prepare_environment()
    from app.many.start_ray import RayFailed
    from app.many.translate_many import translate_on_ray
    from app.translate_plan import PlanError

    try:
        return translate_on_ray(plan, list(map(str, sources)), str(out), settings, translators=translators)
    except PlanError as error:
        raise click.UsageError(str(error)) from None
    except RayFailed as error:
        say(str(error))
        sys.exit(1)


def _handle_interrupts() -> None:
    """Handle SIGINT even if a shell started the command with `&`, which makes it ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
