"""Check that a bundle's models do what its manifest says, before they translate a client's picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from app.engine.runtime.providers import CPU, ProviderRefused
from app.engine.runtime.session import Execution, Model, OpenModel, Outputs, Pixels, PrecisionTooLow
from models.bundle.canary import STYLE, check_canary, read_canary
from models.bundle.canary_pictures import check_pictures
from models.bundle.declarations import HeatMap
from models.bundle.directory import Bundle, read_bundle
from models.bundle.errors import BundleError
from models.bundle.manifest import CANARY, DISCRIMINATORS, GENERATOR, STYLE_ENCODER, Manifest
from models.files.text import quoted

T = TypeVar("T")
_Check = Callable[[Bundle, OpenModel, str | None], T]
"""Checks a bundle, given why its models are opened in float32, if they are."""


def check_name(manifest: Manifest, path: Path) -> None:
    """Check that a bundle's directory is named after its direction, as the service requires.

    Raises:
        BundleError: it has another name.
    """
    name = path.resolve().name if path.name in ("", "..") else path.name
    if manifest.direction != name:
        raise BundleError(f"{path} holds the direction {manifest.direction}; rename the directory to that.")


class Verification(NamedTuple):
    """A verified bundle, and how its canary was computed here."""

    bundle: Bundle
    psnr_db: float
    """Of the canary's image computed here against the stored one; infinite if they are equal."""
    execution: Execution
    float32_reason: str | None
    """Why it ran in float32 instead of a lower precision; None if it did not."""


def check_generator(model: Model, manifest: Manifest, canary: Mapping[str, NDArray[Any]]) -> float:
    """Run the canary, and compare the outputs with the manifest and with the stored outputs.

    Returns:
        The peak signal-to-noise ratio of the canary's image in dB; infinite if it is equal.

    Raises:
        PrecisionTooLow: the outputs differ, at a lower precision than float32.
        BundleError: the outputs differ.
    """
    with _precision_errors(model):
        return _check_generator(model, manifest, canary)


def _check_generator(model: Model, manifest: Manifest, canary: Mapping[str, NDArray[Any]]) -> float:
    pixels = canary["pixels"]
    frame = (1, manifest.image.height, manifest.image.width, 3)
    if pixels.dtype != np.uint8 or pixels.shape != frame:
        raise BundleError(
            f"The canary's picture must be uint8 of {frame[2]} x {frame[1]} pixels, got {_shape(pixels)}."
        )
    outputs = model.run(pixels, _canary_style(canary, manifest))
    _check_outputs(outputs, manifest)
    exact = model.execution.precision == "float32"
    decibels = check_canary(canary, lambda *_inputs: outputs, exact=exact)
    if not exact and model.automatic_precision:
        check_pictures(canary, model.run)
    return decibels


def _canary_style(canary: Mapping[str, NDArray[Any]], manifest: Manifest) -> NDArray[np.float32] | None:
    """Return the canary's style code `[1, d]`; None for a generator without styles."""
    if manifest.style is None:
        return None
    codes, shape = canary.get(STYLE), (1, manifest.style.dimension)
    if codes is None or codes.dtype != np.float32 or codes.shape != shape:
        found = "none" if codes is None else _shape(codes)
        raise BundleError(f"The canary's style must be {shape[1]} float32 numbers, got {found}.")
    return codes


def check_style_encoder(model: Model, manifest: Manifest, pixels: Pixels) -> None:
    """Encode a picture `[1, H, W, 3]`; check that its style is one finite code of the generator's size.

    Raises:
        PrecisionTooLow: the code is wrong, at a lower precision than float32.
        BundleError: the code is wrong.
    """
    assert manifest.style is not None
    with _precision_errors(model):
        outputs = model.run(pixels)
        if STYLE not in outputs:
            raise BundleError(f"The style encoder's {STYLE} is missing among {_listed(outputs)}.")
        codes, shape = outputs[STYLE], (1, manifest.style.dimension)
        if codes.dtype != np.float32 or codes.shape != shape or not np.isfinite(codes).all():
            raise BundleError(
                f"The style encoder's {STYLE} must be {shape[1]} finite float32 numbers, got {_shape(codes)}."
            )


def check_discriminators(model: Model, manifest: Manifest, pixels: Pixels) -> None:
    """Run a translated picture `[1, H, W, 3]`; check the declared maps, and that all values are finite.

    Raises:
        PrecisionTooLow: an output is wrong, at a lower precision than float32.
        BundleError: an output is wrong.
    """
    with _precision_errors(model):
        _check_discriminators(model, manifest, pixels)


def _check_discriminators(model: Model, manifest: Manifest, pixels: Pixels) -> None:
    outputs = model.run(pixels)
    for each in manifest.maps_of("local", "global"):
        _check_map(outputs, each, "The discriminators'")
    for name, values in outputs.items():
        if not np.isfinite(values).all():
            raise BundleError(
                f"The discriminators' {quoted(name)} must be finite, got NaN or infinite values."
            )


@contextmanager
def _precision_errors(model: Model) -> Iterator[None]:
    """Raise PrecisionTooLow for a BundleError of a model at a lower precision than float32."""
    try:
        yield
    except BundleError as error:
        if model.execution.precision == "float32":
            raise
        raise PrecisionTooLow(model.execution.precision, error) from None


def warm_up(model: Model, manifest: Manifest, batch_sizes: Sequence[int]) -> None:
    """Run every batch size once: the first run of a shape chooses kernels and allocates memory.

    onnxruntime's CPU provider chooses no kernels by the batch size, and the largest batch allocates the
    memory for all, so only that one is run.
    """
    height, width, style = manifest.image.height, manifest.image.width, manifest.style
    for size in batch_sizes[-1:] if model.execution.provider == CPU else batch_sizes:
        codes = None if style is None else np.zeros((size, style.dimension), np.float32)
        model.run(np.zeros((size, height, width, 3), np.uint8), codes)
    model.prepare_shapes([(size, height, width) for size in batch_sizes])


def verify(path: Path, open_model: OpenModel) -> Verification:
    """Check a bundle as loading does: every file, its hash, the canary, and the other models too.

    A model that fails at a lower precision is opened and checked again in float32.

    Raises:
        BundleError: the bundle differs from its manifest, or a model cannot be opened or run.
    """
    return _checked_in_precision(path, open_model, _verify)


def open_generator(path: Path, open_model: OpenModel) -> tuple[Bundle, Model]:
    """Open a bundle's generator without an engine, whatever the name of its directory, and run its canary.

    Raises:
        BundleError: the bundle differs from its manifest, or the model cannot be opened or run.
    """
    return _checked_in_precision(path, open_model, _open_generator)


def _checked_in_precision(path: Path, open_model: OpenModel, check: _Check[T]) -> T:
    """Return what a check returns; with models in float32, if they are wrong in a lower precision."""
    bundle = read_bundle(path)
    try:
        try:
            return check(bundle, open_model, None)
        except PrecisionTooLow as error:
            float32_reason = str(error)
        return check(bundle, partial(open_model, exact=True), float32_reason)
    except (BundleError, ProviderRefused):
        raise
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise BundleError(f"A model in {path} cannot be opened: {error}") from error


def _open_generator(bundle: Bundle, open_model: OpenModel, _reason: str | None) -> tuple[Bundle, Model]:
    model = open_model(bundle.files[GENERATOR])
    check_generator(model, bundle.manifest, read_canary(bundle.files[CANARY]))
    return bundle, model


def _verify(bundle: Bundle, open_model: OpenModel, float32_reason: str | None) -> Verification:
    canary = read_canary(bundle.files[CANARY])
    model = open_model(bundle.files[GENERATOR])
    psnr_db = check_generator(model, bundle.manifest, canary)
    if DISCRIMINATORS in bundle.files:
        discriminators = open_model(bundle.files[DISCRIMINATORS])
        check_discriminators(discriminators, bundle.manifest, canary["image"])
    if STYLE_ENCODER in bundle.files:
        check_style_encoder(open_model(bundle.files[STYLE_ENCODER]), bundle.manifest, canary["image"])
    return Verification(bundle, psnr_db, model.execution, float32_reason)


def _check_outputs(outputs: Outputs, manifest: Manifest) -> None:
    """Check the outputs that the manifest declares. Others are allowed, and ignored."""
    maps, logits = manifest.maps_of("generator"), manifest.logits
    declared = {"image", *(each.name for each in maps), *(each.name for each in logits)}
    if missing := declared - outputs.keys():
        raise BundleError(
            f"The generator's outputs must include {_listed(declared)} as in its manifest; "
            f"{_listed(missing)} is missing among {_listed(outputs)}."
        )
    size, image = manifest.image, outputs["image"]
    if image.dtype != np.uint8 or image.shape != (1, size.height, size.width, 3):
        raise BundleError(
            f"The generator's image must be uint8 of {size.width} x {size.height} pixels, "
            f"got {_shape(image)}."
        )
    for each in maps:
        _check_map(outputs, each, "The generator's")
    for name in (each.name for each in logits):
        values = outputs[name]
        if values.dtype != np.float32 or values.shape != (1, 2):
            raise BundleError(
                f"The generator's {name} must be 2 float32 values a picture, got {_shape(values)}."
            )


def _check_map(outputs: Outputs, declared: HeatMap, owner: str) -> None:
    name, low, high = declared.name, declared.range.low, declared.range.high
    if name not in outputs:
        raise BundleError(f"{owner} {name} is missing; the model's outputs are {_listed(outputs)}.")
    values = outputs[name]
    if values.dtype != np.float32 or values.ndim != 3 or len(values) != 1 or not values.size:
        raise BundleError(f"{owner} {name} must be one float32 map [1, h, w], got {_shape(values)}.")
    if (low is not None and values.min() < low) or (high is not None and values.max() > high):
        raise BundleError(
            f"{owner} {name} must have values in the declared range of {low} to {high}, "
            f"got {values.min():g} to {values.max():g}."
        )


def _listed(names: Iterable[str]) -> str:
    return quoted(", ".join(sorted(names)))


def _shape(values: NDArray[Any]) -> str:
    return f"{values.dtype} {list(values.shape)}"
