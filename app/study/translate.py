"""Translate a study's pictures with all of its models, into JPEG files that do not reveal the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from app.engine.directions.verification import open_generator
from app.engine.runtime.session import Model, OpenModel, Pixels, StyleCodes
from app.study.database import SOURCE
from app.study.errors import StudyError
from app.study.models import StudyModel
from models.bundle.style_codes import DEFAULT_SEED, draw_style
from models.images.decode import PictureError, PictureLimits, decode
from models.images.encode import encode
from models.images.frame import frame, resize_smooth

_LONGEST: Final = 1024
"""Longest side of the shown pictures; each is shown on a fraction of a screen."""
_QUALITY: Final = 92

Images = Sequence[tuple[int, bytes]]
"""JPEG files with their models' numbers."""


class OpenedModel(NamedTuple):
    """A model of a study, ready to run."""

    described: StudyModel
    model: Model
    style: StyleCodes | None = None
    """The code `[1, d]` of the default style; None for a model without styles."""


class ShownSize(NamedTuple):
    """The size of every picture of a study."""

    height: int
    width: int


def shown_size(models: Sequence[StudyModel]) -> ShownSize:
    """Return one size for the pictures of all models: another size would tell which model it is.

    Raises:
        StudyError: the models' sizes have different shapes.
    """
    largest = max(models, key=lambda model: model.size.height).size
    for model in models:
        if model.size.height * largest.width != model.size.width * largest.height:
            raise StudyError(
                f"The models of a study must have one aspect ratio, and {model.path} translates "
                f"{model.size.width} x {model.size.height} pixels; leave it out."
            )
    scale = min(1.0, _LONGEST / max(largest.height, largest.width))
    return ShownSize(round(largest.height * scale), round(largest.width * scale))


def open_models(models: Sequence[StudyModel], open_model: OpenModel) -> list[OpenedModel]:
    """Open every model, and run its canary.

    Raises:
        BundleError: a bundle is damaged, or its model cannot be opened.
    """
    return [_open(model, open_model) for model in models]


def _open(described: StudyModel, open_model: OpenModel) -> OpenedModel:
    bundle, model = open_generator(described.path, open_model)
    if (style := bundle.manifest.style) is None:
        return OpenedModel(described, model)
    return OpenedModel(described, model, draw_style(DEFAULT_SEED, style.dimension)[None])


def translate_picture(path: Path, models: Mapping[int, OpenedModel], size: ShownSize) -> Images:
    """Return all images of a picture: `SOURCE`, and each model's translation under its number.

    Raises:
        StudyError: the picture can no longer be read.
    """
    pixels = _read(path)
    drawn = {SOURCE: frame(pixels, height=size.height, width=size.width, fit="cover").pixels}
    drawn |= {number: _translate(opened, pixels, size) for number, opened in models.items()}
    return equally_long(
        [(number, encode(each, "image/jpeg", quality=_QUALITY)) for number, each in drawn.items()]
    )


def equally_long(images: Images) -> Images:
    """Return the files with zeros after their ends, which decoders ignore: their lengths tell nothing."""
    longest = max(len(jpeg) for _, jpeg in images)
    return [(number, jpeg.ljust(longest, b"\0")) for number, jpeg in images]


def _read(path: Path) -> Pixels:
    try:
        return decode(path.read_bytes(), limits=PictureLimits())
    except (OSError, PictureError) as error:
        raise StudyError(f"{path} can no longer be read ({error}); put it back, then start again.") from None


def _translate(opened: OpenedModel, pixels: Pixels, size: ShownSize) -> Pixels:
    own = opened.described.size
    framed = frame(pixels, height=own.height, width=own.width, fit="cover").pixels
    translated: Pixels = opened.model.run(framed[None], opened.style)["image"][0]
    if translated.shape[:2] == size:
        return translated
    return resize_smooth(translated, height=size.height, width=size.width)
