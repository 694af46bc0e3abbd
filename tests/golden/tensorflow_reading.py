"""The golden vectors of the TensorFlow networks, and how closely we must agree with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.golden.reading import ROOT as GOLDEN
from tests.golden.reading import SHIPPED as GOLDEN_SHIPPED
from tests.golden.reading import sets_below

ROOT = GOLDEN / "tensorflow"
SHIPPED = GOLDEN_SHIPPED / "tensorflow"
VARIANTS = sets_below(ROOT)
WITH_LOSSES = tuple(variant for variant in VARIANTS if (ROOT / variant / "losses.json").exists())
IMAGE_TOLERANCE = 5e-5
RELATIVE_TOLERANCE = 2e-5
LOSS_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 2e-5
"""Float64 too differs from the official norms by up to 1.24e-5 (`full-sharded`): they are float32 sums."""
SIZE = 32
"""Of the sets that the repository holds, in pixels."""


def config(variant: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / variant / "config.json").read_text())
    return found


def losses(variant: str) -> dict[str, float]:
    found: dict[str, float] = json.loads((ROOT / variant / "losses.json").read_text())
    return found


def golden_folder(variant: str) -> Path:
    """The folder of a set's checkpoint, named as the official code names it."""
    return ROOT / variant / str(config(variant)["folder"])


def folder(variant: str) -> Path:
    """That of a set that the repository holds, for tests that need any official checkpoint."""
    return SHIPPED / variant / str(json.loads((SHIPPED / variant / "config.json").read_text())["folder"])


def arrays(variant: str, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of `vectors` or `pixels`."""
    with np.load(ROOT / variant / f"{name}.npz") as found:
        return {key: found[key] for key in found.files}
