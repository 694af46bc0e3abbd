"""The golden vectors of U-GAT-IT, and how closely we must agree with them.

`UGATIT_GOLDEN` names a folder with other sets in the layout of `tests/golden`; by default it is that one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

SHIPPED = Path(__file__).parent
ROOT = Path(os.environ.get("UGATIT_GOLDEN", SHIPPED)).absolute()
IMAGE_TOLERANCE = 1e-4
RELATIVE_TOLERANCE = 1e-4

if not ROOT.is_dir():
    raise FileNotFoundError(f"UGATIT_GOLDEN must name a folder of golden vectors; found none at {ROOT}.")


def sets_below(folder: Path) -> tuple[str, ...]:
    """The names of the sets directly in a folder: each has a config.json."""
    return tuple(sorted(path.parent.name for path in folder.glob("*/config.json")))


VARIANTS = sets_below(ROOT)


def vectors(variant: str) -> dict[str, NDArray[Any]]:
    with np.load(ROOT / variant / "vectors.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def pixels(variant: str) -> dict[str, NDArray[Any]]:
    with np.load(ROOT / variant / "pixels.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def config(variant: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / variant / "config.json").read_text())
    return found


def losses(variant: str) -> dict[str, float]:
    found: dict[str, float] = json.loads((ROOT / variant / "losses.json").read_text())
    return found


def params(variant: str) -> Path:
    """The checkpoint of a set."""
    return ROOT / variant / "params.pt"


def checkpoint(variant: str) -> Path:
    """The checkpoint of a set that the repository holds, for tests that need any official checkpoint."""
    return SHIPPED / variant / "params.pt"


def relative(found: torch.Tensor | NDArray[Any], expected: NDArray[Any]) -> float:
    """The largest difference over the largest absolute expected value."""
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())
