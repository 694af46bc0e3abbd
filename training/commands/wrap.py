"""The command `wrap`, which makes a bundle of any translator that exists as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TextIO, get_args

import click
from rich.text import Text

from models.bundle.declarations import Kind
from models.bundle.directory import refuse_to_replace
from models.bundle.manifest import split_direction
from models.files.text import as_text
from training.console.terminal import busy, open_console
from training.export.bundles import Provenance
from training.wrapping.convention import RANGES, Channels, Layout, RangeName
from training.wrapping.inspection import Options, inspect
from training.wrapping.model_file import ModelFile
from training.wrapping.wrap import wrap

_RANGE: Final = click.Choice(list(RANGES))
_LARGEST_SIDE: Final = 4096


@click.command("wrap")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--direction", required=True, metavar="NAME", help="Such as photo2cartoon.")
@click.option("--out", default=Path("bundles"), type=click.Path(path_type=Path), show_default=True)
@click.option("--range", "input_range", type=_RANGE, help="Values of black and white.  [default: guessed]")
@click.option("--output-range", type=_RANGE, help="Of the translated picture.  [default: as --range]")
@click.option("--layout", type=click.Choice(get_args(Layout)), help="[default: from the input's shape]")
@click.option("--channels", type=click.Choice(get_args(Channels)), default="rgb", show_default=True)
@click.option(
    "--size",
    metavar="PIXELS|native",
    help="Height and width of pictures, for a model that takes any.  [default: the model's own, else 256]",
)
@click.option("--output", metavar="NAME", help="Output with the picture, where there are several.")
@click.option("--attention", metavar="NAME", help="Output with a heat map.")
@click.option(
    "--attention-kind",
    type=click.Choice(get_args(Kind)),
    default="relevance",
    show_default=True,
    help="relevance: relative values; mask: values from 0 to 1.",
)
@click.option("--data", help="What the weights were trained on, for the manifest.")
@click.option("--licence", default="not recorded", help="Of the weights, for the manifest.")
@click.option("--limits", default="not recorded", help="Uses to avoid, for the manifest.")
@click.option("--notes", type=click.File(encoding="utf-8", errors="backslashreplace"), help="For the card.")
def wrap_command(
    model: Path,
    direction: str,
    out: Path,
    input_range: RangeName | None,
    output_range: RangeName | None,
    layout: Layout | None,
    channels: Channels,
    size: str | None,
    output: str | None,
    attention: str | None,
    attention_kind: Kind,
    data: str | None,
    licence: str,
    limits: str,
    notes: TextIO | None,
) -> None:
    """Make a bundle of MODEL, an image translator as an ONNX file from anywhere.

    The conversion from and to pixels is put around the model, in its graph. What is not given is guessed
    from the model, and printed. Nothing is written unless the bundle answers as the model itself does.
    """
    split_direction(direction)
    refuse_to_replace(out / direction)
    options = Options(layout, channels, input_range, output_range, _side(size), output, attention)
    console = open_console()
    with busy(console, f"Reading and running {as_text(model)} …"):
        file = ModelFile(model)
        found = inspect(file, options)
    for guess in found.guesses:
        console.print(Text(f"Guessed: {guess}"), soft_wrap=True)
    provenance = Provenance(data=data, licence=licence, limits=limits, notes=notes.read() if notes else None)
    with busy(console, "Comparing the bundle with the model …"):
        bundle = wrap(file, found, direction, provenance, map_kind=attention_kind)
    path = bundle.write(out)
    parity = bundle.manifest.parity
    console.print(
        Text(
            f"{as_text(path)}: image values differ by at most {parity.image_max_levels} of 255 from the "
            f"model's own, {parity.image_equal:.2%} are equal."
        ),
        soft_wrap=True,
    )


def _side(size: str | None) -> int | None:
    if size is None or size == "native":
        return None
    side = int(size) if size.isascii() and size.isdecimal() else 0
    if not 4 <= side <= _LARGEST_SIDE or side % 4:
        raise click.BadParameter(
            f"expected a multiple of 4 up to {_LARGEST_SIDE}, or native; got {size}.", param_hint="--size"
        )
    return side
