"""The canary: one stored input and its outputs, compared with the model's before a bundle serves.

A model whose bytes are right can still compute wrong values, with another runtime, provider or driver.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.bundle.declarations import GATED_MAPS
from models.bundle.errors import BundleError

Arrays = Mapping[str, NDArray[Any]]
Run = Callable[..., Arrays]
"""The model: pixels uint8 `[1, H, W, 3]`, and style codes if the canary has them, to its outputs by name."""

MAX_LEVELS: Final = 1
"""Largest allowed difference of an image value in float32, in levels of 255."""
MAX_RELATIVE: Final = 1e-3
"""Largest allowed difference of logits and maps in float32, relative to their largest absolute value."""
JUMPING_SHARE: Final = 0.01
"""Share of a gated map's values that may differ by 100 times as much, because rounding puts a feature that is
nearly zero on the other side of its ReLU."""
MIN_PSNR_DB: Final = 45.0
"""Smallest allowed peak signal-to-noise ratio of an image in a lower precision."""
STYLE: Final = "style"
"""The name of the input that takes style codes, in a graph and in its canary."""
PICTURE_ARRAYS: Final = ("source_pixels", "source_image", "drawn_pixels", "drawn_image")
"""The arrays of natural pictures and their translations, see `canary_pictures`."""
_LIMIT_BYTES: Final = 1 << 28
"""Of the unpacked arrays; a picture of 4,096 px and its outputs take 105 MB."""


def smooth_picture(height: int, width: int, *, seed: int) -> NDArray[np.uint8]:
    """Draw a smooth random picture, `[height, width, 3]`, that uses most of the range of values."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    picture = np.zeros((height, width, 3))
    for channel in range(3):
        for _ in range(8):
            fy, fx = random.uniform(-6, 6, 2)
            phase = random.uniform(0, 2 * np.pi)
            picture[..., channel] += np.cos(2 * np.pi * (fy * y + fx * x) + phase)
    low, high = picture.min(), picture.max()
    levels: NDArray[np.uint8] = np.rint((picture - low) / (high - low) * 255).astype(np.uint8)
    return levels


def write_canary(
    pixels: NDArray[np.uint8],
    outputs: Arrays,
    *,
    style: NDArray[np.float32] | None = None,
    pictures: Arrays = MappingProxyType({}),
) -> bytes:
    """Return the content of `canary.npz`: the inputs and every output of the generator.

    Args:
        pixels: `[1, H, W, 3]`.
        outputs: by name.
        style: the code `[1, d]` of a generator that takes style codes.
        pictures: the arrays of natural pictures, see `canary_pictures`.
    """
    buffer = io.BytesIO()
    inputs = {"pixels": pixels} if style is None else {"pixels": pixels, STYLE: style}
    np.savez_compressed(buffer, allow_pickle=False, **inputs, **outputs, **pictures)
    return buffer.getvalue()


def read_canary(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the arrays of `canary.npz`: `pixels`, perhaps `style`, and the generator's outputs.

    Raises:
        BundleError: it cannot be read, or `pixels` or `image` is missing.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > _LIMIT_BYTES:
            raise ValueError("too large")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            canary = {name: arrays[name] for name in arrays.files}
    except Exception:  # damaged bytes raise many types of errors in zip, inflate and NumPy
        raise BundleError(
            "canary.npz is damaged: its arrays cannot be read; export or copy the bundle again."
        ) from None
    if not {"pixels", "image"} <= canary.keys():
        raise BundleError("canary.npz lacks the arrays pixels or image; export the bundle again.")
    return canary


def check_canary(canary: Arrays, run: Run, *, exact: bool) -> float:
    """Run the stored input and compare the outputs.

    Args:
        canary: as `read_canary` returns it.
        run: the model.
        exact: whether the model runs in float32; in a lower precision only the PSNR is limited.

    Returns:
        The peak signal-to-noise ratio of the image in dB; infinite if it is equal.

    Raises:
        BundleError: an output is missing, has another shape, is not finite or differs too much.
    """
    inputs = [canary[name] for name in ("pixels", STYLE) if name in canary]
    outputs = run(*inputs)
    for name, expected in canary.items():
        if name in ("pixels", STYLE, *PICTURE_ARRAYS):
            continue
        if name not in outputs or outputs[name].shape != expected.shape:
            raise BundleError(f"The canary's {name} is missing or has another shape than expected.")
        if name == "image":
            _check_image(outputs[name], expected, exact=exact)
        else:
            _check_values(name, outputs[name], expected, exact=exact)
    return psnr_db(_difference(outputs["image"], canary["image"]))


def _check_image(found: NDArray[Any], expected: NDArray[Any], *, exact: bool) -> None:
    difference = _difference(found, expected)
    if exact and (off := int(difference.max())) > MAX_LEVELS:
        raise BundleError(f"The canary's image differs by {off} levels; at most {MAX_LEVELS} is allowed.")
    if not exact and (db := psnr_db(difference)) < MIN_PSNR_DB:
        raise BundleError(
            f"The canary's image has a PSNR of {db:.1f} dB; at least {MIN_PSNR_DB} dB are required."
        )


def _difference(found: NDArray[Any], expected: NDArray[Any]) -> NDArray[np.float64]:
    return np.abs(found.astype(np.float64) - expected.astype(np.float64))


def _check_values(name: str, found: NDArray[Any], expected: NDArray[Any], *, exact: bool) -> None:
    if not np.isfinite(found).all():
        raise BundleError(f"The canary's {name} is not finite.")
    off = output_difference(name, found, expected)
    if exact and off > MAX_RELATIVE:
        raise BundleError(f"The canary's {name} differs by {off:.1e}; at most {MAX_RELATIVE} is allowed.")


def psnr_db(difference: NDArray[np.float64]) -> float:
    """Return the peak signal-to-noise ratio of differences in levels of 255; infinite if all are 0."""
    mean_square = float(np.mean(difference**2))
    return float("inf") if mean_square == 0 else 10 * float(np.log10(255**2 / mean_square))


def output_difference(name: str, found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return what `MAX_RELATIVE` limits of an output beside the image.

    That is the largest difference, relative to the largest absolute expected value. A few values of a gated
    map count a hundredth.
    """
    if name not in GATED_MAPS:
        return relative_difference(found, expected)
    differences = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    usual = float(np.quantile(differences, 1 - JUMPING_SHARE, method="lower"))
    largest = float(np.abs(expected).max()) or 1.0
    return max(usual, float(differences.max()) * JUMPING_SHARE) / largest


def relative_difference(found: NDArray[Any], expected: NDArray[Any]) -> float:
    """Return the largest difference divided by the largest absolute expected value."""
    largest = float(np.abs(expected).max())
    difference = float(np.abs(found.astype(np.float64) - expected.astype(np.float64)).max())
    return difference / largest if largest else difference
