"""The golden vectors, and how closely we must agree with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

HERE = Path(__file__).parent
VARIANTS = ("light", "full")
IMAGE_TOLERANCE = 1e-4
RELATIVE_TOLERANCE = 1e-4


def vectors(variant: str) -> dict[str, NDArray[Any]]:
    with np.load(HERE / variant / "vectors.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def pixels(variant: str) -> dict[str, NDArray[Any]]:
    with np.load(HERE / variant / "pixels.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def config(variant: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / variant / "config.json").read_text())
    return found


def checkpoint(variant: str) -> Path:
    return HERE / variant / "params.pt"


def relative(found: torch.Tensor | NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference over the largest absolute expected value."""
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())
