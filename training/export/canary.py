"""Make the canary of a bundle, and renew the natural pictures of an old one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bundle.canary import STYLE, read_canary, smooth_picture, write_canary
from models.bundle.canary_pictures import COUNT, DRAWN, SOURCE, Kind, picture_arrays, without_pictures
from models.bundle.directory import Bundle
from models.bundle.manifest import CANARY, GENERATOR, ImageSize, Manifest
from models.bundle.natural_pictures import natural_pictures
from models.storage.file_entry import entry_of
from training.export.parity import cpu_session, expected_outputs, run, translator_inputs
from training.export.translator import Translator

Pictures = NDArray[np.uint8]


def make_canary(exact: Translator, pictures: Pictures | None) -> bytes:
    """Return the canary of a translator in float64.

    Args:
        exact: the translator.
        pictures: natural pictures of its source domain, `[k, H, W, 3]`; None draws some.
    """
    pixels = smooth_picture(exact.size.height, exact.size.width, seed=0)[None]
    inputs = translator_inputs(exact, pixels)
    kind, natural = _natural(exact.size, pictures)
    images = [expected_outputs(exact, {**inputs, "pixels": each})["image"] for each in _singly(natural)]
    arrays = picture_arrays(kind, natural, np.concatenate(images))
    return write_canary(pixels, expected_outputs(exact, inputs), style=inputs.get(STYLE), pictures=arrays)


def renew_canary(bundle: Bundle, pictures: Pictures | None) -> tuple[Manifest, dict[str, bytes]]:
    """Return a bundle's manifest and files with other natural pictures in its canary.

    The translations are those of its graph in float32: for an export they were compared with torch. All else
    stays as it is.

    Args:
        bundle: the bundle.
        pictures: of its source domain, `[k, H, W, 3]`; None draws some.
    """
    canary = without_pictures(read_canary(bundle.files[CANARY]))
    kind, natural = _natural(bundle.manifest.image, pictures)
    session = cpu_session(bundle.files[GENERATOR])
    style: dict[str, NDArray[Any]] = {STYLE: canary[STYLE]} if STYLE in canary else {}
    images = np.concatenate([run(session, each, **style)["image"] for each in _singly(natural)])
    outputs = {name: values for name, values in canary.items() if name not in ("pixels", STYLE)}
    data = write_canary(
        canary["pixels"], outputs, style=canary.get(STYLE), pictures=picture_arrays(kind, natural, images)
    )
    entries = {**bundle.manifest.files, CANARY: entry_of(data)}
    return bundle.manifest.model_copy(update={"files": entries}), {**bundle.files, CANARY: data}


def _natural(size: ImageSize, pictures: Pictures | None) -> tuple[Kind, Pictures]:
    if pictures is not None:
        return SOURCE, pictures
    return DRAWN, natural_pictures(COUNT, size.height, size.width, seed=0)


def _singly(pictures: Pictures) -> Iterator[Pictures]:
    """Yield batches of one picture."""
    return (each[None] for each in pictures)
