"""The command `ugatit-train canary`: renew the natural pictures in a bundle's canary."""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from models.bundle.canary_pictures import COUNT
from models.bundle.directory import read_bundle, write_bundle
from models.bundle.manifest import ImageSize
from models.files.text import as_text
from models.files.walk import walk
from models.images.errors import PictureError
from models.images.frame import frame
from training.data.open_pictures import read_picture
from training.export.canary import renew_canary


@click.command("canary")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with pictures of the source domain, of which a few, evenly spread, become part of the "
    "bundle: their licence must allow that.  [default: drawn pictures]",
)
def canary_command(bundle: Path, pictures: Path | None) -> None:
    """Renew the natural pictures in the canary of a BUNDLE.

    The service runs them to decide whether bfloat16 is accurate enough. Nothing else of the bundle changes
    but its version.
    """
    found = read_bundle(bundle)
    natural = None if pictures is None else _read(pictures, found.manifest.image)
    manifest, files = renew_canary(found, natural)
    write_bundle(bundle, manifest, files)
    kind = "drawn pictures" if natural is None else f"{len(natural)} pictures of {as_text(pictures or '')}"
    click.echo(f"The canary of {as_text(bundle)} has {kind} now.")


def _read(folder: Path, size: ImageSize) -> NDArray[np.uint8]:
    """Return `COUNT` pictures of a folder, evenly spread, at the size of a bundle: `[k, H, W, 3]`."""
    paths = walk(folder).pictures
    if not paths:
        raise click.UsageError(f"{as_text(folder)} has no pictures; name another folder.")
    count = min(COUNT, len(paths))
    chosen = [paths[index * len(paths) // count] for index in range(count)]
    return np.stack([_framed(path, size) for path in chosen])


def _framed(path: Path, size: ImageSize) -> NDArray[np.uint8]:
    try:
        _, pixels = read_picture(path)
    except PictureError as error:
        raise click.UsageError(f"{as_text(path)}: {error}") from None
    return frame(pixels, height=size.height, width=size.width, fit="cover").pixels
