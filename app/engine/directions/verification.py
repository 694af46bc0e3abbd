"""See that a model is what its bundle says before anyone's picture meets it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.runtime.providers import CPU, ProviderRefused
from app.engine.runtime.session import Model, OpenModel, Outputs, Pixels
from models.bundle.canary import check_canary, read_canary
from models.bundle.directory import Bundle, read_bundle
from models.bundle.errors import BundleError
from models.bundle.manifest import CANARY, DISCRIMINATORS, GENERATOR, Manifest
from models.files.text import quoted

NETWORKS = ("local", "global")
"""The two discriminators."""


def require_name(manifest: Manifest, path: Path) -> None:
    """Check that a bundle's directory has the name of its direction, by which the service offers it.

    Raises:
        BundleError: it has another name.
    """
    name = path.resolve().name if path.name in ("", "..") else path.name
    if manifest.direction != name:
        raise BundleError(f"{path} holds the direction {manifest.direction}; rename the directory to that.")


class TooCoarse(BundleError):
    """At a lower precision the model is not what its bundle says; in float32 it may be."""

    def __init__(self, precision: str, why: BundleError) -> None:
        super().__init__(f"It runs in float32, because in {precision} it falls short: {why}")


class Verified(NamedTuple):
    """A bundle that is as its manifest says."""

    bundle: Bundle
    psnr_db: float
    """Of the canary's image, as computed here, against the one remembered; infinite where they are equal."""
    provider: str
    """The execution provider that computed it."""
    precision: str
    note: str | None
    """Why it is float32 where a lower precision is in use; None otherwise."""


def prove_generator(model: Model, manifest: Manifest, canary: Mapping[str, NDArray[Any]]) -> float:
    """Run the canary: the outputs must be those that the manifest promises and the canary remembers.

    Returns:
        The peak signal-to-noise ratio of its image in dB; infinite where it is equal.

    Raises:
        TooCoarse: they are not, at a lower precision than float32.
        BundleError: they are not.
    """
    with _excused(model):
        return _prove_generator(model, manifest, canary)


def _prove_generator(model: Model, manifest: Manifest, canary: Mapping[str, NDArray[Any]]) -> float:
    pixels = canary["pixels"]
    frame = (1, manifest.image.height, manifest.image.width, 3)
    if pixels.dtype != np.uint8 or pixels.shape != frame:
        raise BundleError(f"The canary's picture is not one of {frame[2]} x {frame[1]} pixels.")
    outputs = model.run(pixels)
    _require_outputs(outputs, manifest)
    return check_canary(canary, lambda _pixels: outputs, exact=model.precision == "float32")


def prove_discriminators(model: Model, pixels: Pixels) -> None:
    """Run a translated picture `[1, H, W, 3]`: there must be a map for each, and nothing but finite values.

    Raises:
        TooCoarse: the outputs are others, at a lower precision than float32.
        BundleError: the outputs are others.
    """
    with _excused(model):
        _prove_discriminators(model, pixels)


def _prove_discriminators(model: Model, pixels: Pixels) -> None:
    outputs = model.run(pixels)
    for network in NETWORKS:
        _require_map(outputs, f"attention_{network}", "The discriminators'")
    for name, values in outputs.items():
        if not np.isfinite(values).all():
            raise BundleError(f"The discriminators' {quoted(name)} is not finite.")


@contextmanager
def _excused(model: Model) -> Iterator[None]:
    """Turn the failure of a model at a lower precision into one that float32 may mend."""
    try:
        yield
    except BundleError as error:
        if model.precision == "float32":
            raise
        raise TooCoarse(model.precision, error) from None


def warm_up(model: Model, manifest: Manifest, shapes: Sequence[int]) -> None:
    """Run every shape once: the first run of a shape pays for choosing kernels and for memory.

    A CPU chooses nothing by the batch; the largest has claimed the memory for all.
    """
    for shape in shapes[-1:] if model.provider == CPU else shapes:
        model.run(np.zeros((shape, manifest.image.height, manifest.image.width, 3), np.uint8))
    model.settle([(shape, manifest.image.height, manifest.image.width) for shape in shapes])


def verify(path: Path, open_model: OpenModel) -> Verified:
    """Check a bundle as loading does: every hash, every file, and the canary; its discriminators too.

    A model that falls short at a lower precision is opened in float32 instead.

    Raises:
        BundleError: something is not as its manifest says, or a model cannot be opened or run.
    """
    bundle = read_bundle(path)
    try:
        try:
            return _verify(bundle, open_model)
        except TooCoarse as error:
            note = str(error)
        return _verify(bundle, partial(open_model, exact=True))._replace(note=note)
    except (BundleError, ProviderRefused):
        raise
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise BundleError(f"A model in {path} cannot be opened: {error}") from error


def _verify(bundle: Bundle, open_model: OpenModel) -> Verified:
    canary = read_canary(bundle.files[CANARY])
    model = open_model(bundle.files[GENERATOR])
    psnr_db = prove_generator(model, bundle.manifest, canary)
    if DISCRIMINATORS in bundle.files:
        prove_discriminators(open_model(bundle.files[DISCRIMINATORS]), canary["image"])
    return Verified(bundle, psnr_db, model.provider, model.precision, None)


def _require_outputs(outputs: Outputs, manifest: Manifest) -> None:
    promised = {"image"} | ({"attention", "cam_logit"} if manifest.attention else set())
    if outputs.keys() != promised:
        found, wanted = (", ".join(sorted(names)) for names in (outputs, promised))
        raise BundleError(f"The generator answers {quoted(found)}; its manifest promises {wanted}.")
    size = manifest.image
    image = outputs["image"]
    if image.dtype != np.uint8 or image.shape != (1, size.height, size.width, 3):
        raise BundleError(f"The generator's image is no picture of {size.width} x {size.height} pixels.")
    if manifest.attention:
        _require_map(outputs, "attention", "The generator's")
        if outputs["cam_logit"].dtype != np.float32 or outputs["cam_logit"].shape != (1, 2):
            raise BundleError("The generator's cam_logit is not two numbers a picture.")


def _require_map(outputs: Outputs, name: str, whose: str) -> None:
    if name not in outputs:
        raise BundleError(
            f"{whose} {name} is missing: the model answers {quoted(', '.join(sorted(outputs)))}."
        )
    values = outputs[name]
    if values.dtype != np.float32 or values.ndim != 3 or len(values) != 1 or not values.size:
        raise BundleError(f"{whose} {name} is not one map a picture.")
