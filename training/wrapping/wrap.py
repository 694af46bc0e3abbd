"""Make a verified bundle of a model that exists as ONNX."""

from __future__ import annotations

from importlib import metadata
from typing import Any, Final, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.bundle.canary import MAX_RELATIVE, relative_difference, smooth_picture, write_canary
from models.bundle.canary_pictures import COUNT, DRAWN, picture_arrays
from models.bundle.declarations import HeatMap, Input, Range
from models.bundle.manifest import (
    CANARY,
    FORMAT,
    GENERATOR,
    ImageSize,
    Manifest,
    Parity,
    Training,
    split_direction,
)
from models.bundle.natural_pictures import natural_pictures
from models.files.text import as_text, encodable
from models.storage.file_entry import entry_of
from training.export.bundles import PreparedBundle, Provenance, with_card
from training.export.parity import MAX_LEVELS, MIN_EQUAL, run
from training.wrapping.convention import Pixels
from training.wrapping.errors import WrapError
from training.wrapping.graph import wrapped
from training.wrapping.inspection import Inspection
from training.wrapping.model_file import ModelFile, open_session

METHOD: Final = "external"
_TITLE: Final = "a model from elsewhere, which was wrapped as it is"
_MIN_EQUAL_HALF: Final = 0.9
"""Share of equal image values of a model in float16, which runtimes compute in float16 or in float32."""


def wrap(
    model: ModelFile,
    found: Inspection,
    direction: str,
    provenance: Provenance,
    *,
    map_kind: Literal["relevance", "mask"] = "relevance",
) -> PreparedBundle:
    """Return a bundle whose graph answers as the model itself does.

    Args:
        model: the model as it is.
        found: how it takes and returns pictures.
        direction: its name in the service.
        provenance: of the model, for the manifest and the card.
        map_kind: what the values of its heat map mean.

    Raises:
        BundleError: `direction` is not of the form SOURCE2TARGET.
        WrapError: the wrapped model cannot be run, or answers otherwise.
    """
    source, target = split_direction(direction)
    fixed = found.fixed or not _takes(model, found, found.height + 4, found.width)
    found = found._replace(fixed=fixed)
    data, parity = _checked(model, found)
    files = {GENERATOR: data, CANARY: _canary(model, found)}
    maps = [_declared(map_kind)] if found.attention is not None else []
    manifest = Manifest(
        format=FORMAT,
        direction=direction,
        source=source,
        target=target,
        image=ImageSize(height=found.height, width=found.width, fixed=found.fixed),
        method=METHOD,
        architecture=_architecture(model, found),
        inputs=[Input(name="pixels", kind="picture")],
        maps=maps,
        logits=[],
        training=Training(
            steps=provenance.steps,
            data=provenance.data and encodable(provenance.data),
            code_version=metadata.version("ugatit"),
            checkpoint_sha256=model.sha256,
        ),
        licence=encodable(provenance.licence),
        limits=encodable(provenance.limits),
        parity=parity,
        files={name: entry_of(content) for name, content in files.items()},
    )
    return with_card(manifest, files, provenance.notes, method=_TITLE)


def _canary(model: ModelFile, found: Inspection) -> bytes:
    pixels = smooth_picture(found.height, found.width, seed=0)[None]
    drawn = natural_pictures(COUNT, found.height, found.width, seed=0)
    images = _expected(model, found, drawn)["image"]
    arrays = picture_arrays(DRAWN, drawn, images)
    return write_canary(pixels, _expected(model, found, pixels), pictures=arrays)


def _architecture(model: ModelFile, found: Inspection) -> dict[str, Any]:
    return {
        "file": as_text(model.name),
        "opset": model.opset,
        "layout": found.convention.layout,
        "channels": found.convention.channels,
        "input_range": found.convention.input_range,
        "output_range": found.convention.output_range,
    }


def _declared(kind: Literal["relevance", "mask"]) -> HeatMap:
    bounds = Range(low=0, high=1) if kind == "mask" else Range()
    return HeatMap(name="attention", network="generator", kind=kind, range=bounds)


def _takes(model: ModelFile, found: Inspection, height: int, width: int) -> bool:
    """Return whether the model translates a picture of this size to the same size."""
    pixels = smooth_picture(height, width, seed=1)[None]
    try:
        outputs = model.run(found.convention.to_values(pixels, model.input.dtype))
    except WrapError:
        return False
    return found.convention.to_pixels(outputs[found.image]).shape == pixels.shape


def _expected(model: ModelFile, found: Inspection, pixels: Pixels) -> dict[str, NDArray[Any]]:
    """Return the model's own answers for each picture of a batch, in a bundle's types."""
    answers: list[dict[str, NDArray[Any]]] = []
    for picture in pixels:
        outputs = model.run(found.convention.to_values(picture[None], model.input.dtype))
        answer: dict[str, NDArray[Any]] = {"image": found.convention.to_pixels(outputs[found.image])}
        if found.attention is not None:
            values = outputs[found.attention].astype(np.float32)
            axis = found.attention_axis
            answer["attention"] = values if axis is None else values.squeeze(axis)
        answers.append(answer)
    return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def _checked(model: ModelFile, found: Inspection) -> tuple[bytes, Parity]:
    """Return the wrapped model, run as a batch where that gives the same answers, and how well they agree.

    Raises:
        WrapError: even one by one, its answers differ from the model's own.
    """
    failure: WrapError | None = None
    for one_by_one in (False, True):
        try:
            graph = wrapped(model, found, one_by_one=one_by_one)
            session = open_session(graph, "The wrapped model cannot be run by onnxruntime")
            return graph.SerializeToString(deterministic=True), _compare(session, model, found)
        except WrapError as error:
            failure = error
    assert failure is not None
    raise failure


def _compare(session: onnxruntime.InferenceSession, model: ModelFile, found: Inspection) -> Parity:
    """Compare a batch of two pictures, random and smooth, with the model's answers one by one."""
    height, width = found.height, found.width
    random = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    pixels = np.stack([random, smooth_picture(height, width, seed=1)])
    expected = _expected(model, found, pixels)
    try:
        answers = run(session, pixels)
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise WrapError(f"The wrapped model fails for a batch of two pictures: {error}.") from error
    difference = np.abs(answers["image"].astype(int) - expected["image"])
    levels, equal = int(difference.max()), float((difference == 0).mean())
    relative = None
    if found.attention is not None:
        relative = relative_difference(answers["attention"], expected["attention"])
    least_equal = _MIN_EQUAL_HALF if model.input.dtype == np.float16 else MIN_EQUAL
    if levels > MAX_LEVELS or equal < least_equal or (relative or 0) > MAX_RELATIVE:
        raise WrapError(
            f"The wrapped model answers otherwise than {model.name} itself: image values differ by up to "
            f"{levels} of 255, {equal:.2%} are equal; nothing was written."
        )
    return Parity(
        reference=f"{as_text(model.name)} itself, onnxruntime {onnxruntime.__version__}, CPU",
        runtime=f"onnxruntime {onnxruntime.__version__}, CPU",
        vectors=f"a batch of a random and a smooth picture at {width}x{height}",
        image_max_levels=levels,
        image_equal=equal,
        attention_relative=relative,
    )
