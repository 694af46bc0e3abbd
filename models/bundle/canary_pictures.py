"""The canary's natural pictures: what a lower precision costs on pictures like those that people send.

A smooth picture says too little about that: on faces, bfloat16 had an error 8 dB larger.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.bundle.canary import PICTURE_ARRAYS, STYLE, Arrays, Run, psnr_db
from models.bundle.errors import BundleError

COUNT: Final = 4
"""How many pictures an export stores."""


class Kind(NamedTuple):
    """Where the pictures come from."""

    name: str
    """The prefix of their arrays."""
    min_psnr_db: float
    """The accuracy below which a precision is not chosen automatically."""


SOURCE: Final = Kind("source", 50.0)
"""Pictures of the source domain."""
DRAWN: Final = Kind("drawn", 53.0)
"""Drawn pictures. They are farther from the domain, and their error was up to 3 dB smaller than on faces."""
_KINDS: Final = (SOURCE, DRAWN)


def picture_arrays(kind: Kind, pixels: NDArray[np.uint8], images: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the arrays that `canary.npz` stores of natural pictures and their translations.

    Args:
        kind: of the pictures.
        pixels: `[k, H, W, 3]`.
        images: their translations, `[k, H, W, 3]`.
    """
    return {f"{kind.name}_pixels": pixels, f"{kind.name}_image": images}


def without_pictures(canary: Arrays) -> dict[str, NDArray[Any]]:
    """Return a canary's arrays without its natural pictures."""
    return {name: values for name, values in canary.items() if name not in PICTURE_ARRAYS}


def check_pictures(canary: Arrays, run: Run) -> None:
    """Run the natural pictures of a canary at a lower precision than float32 that was chosen automatically.

    Args:
        canary: as `read_canary` returns it.
        run: the model.

    Raises:
        BundleError: there are none, they are not pictures, or a translation differs too much.
    """
    kind, pixels, images = _pictures(canary)
    style = [canary[STYLE]] if STYLE in canary else []
    least = min(
        psnr_db(run(one[None], *style)["image"].astype(np.float64) - image.astype(np.float64)[None])
        for one, image in zip(pixels, images, strict=True)
    )
    if least < kind.min_psnr_db:
        raise BundleError(
            f"The canary's natural pictures have a PSNR of {least:.1f} dB; at least {kind.min_psnr_db:g} dB "
            "are required."
        )


def _pictures(canary: Arrays) -> tuple[Kind, NDArray[Any], NDArray[Any]]:
    shape = canary["pixels"].shape[1:]
    for kind in _KINDS:
        pixels, images = (canary.get(f"{kind.name}_{part}") for part in ("pixels", "image"))
        if pixels is None or images is None:
            continue
        if any(each.dtype != np.uint8 or each.shape != (len(pixels), *shape) for each in (pixels, images)):
            raise BundleError(
                "The canary's natural pictures must be uint8 of the size of its picture; export the bundle "
                "again."
            )
        if len(pixels):
            return kind, pixels, images
    raise BundleError("Its canary has no natural pictures; add some with ugatit-train canary.")
