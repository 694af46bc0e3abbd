"""The golden vectors of the TensorFlow networks, and how closely we must agree with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

HERE = Path(__file__).parent / "tensorflow"
VARIANTS = ("light-unsmoothed", "full-sharded")
IMAGE_TOLERANCE = 5e-5
RELATIVE_TOLERANCE = 2e-5
SIZE = 32


def folder(variant: str) -> Path:
    """The folder of the checkpoint, named as the official code names it."""
    return HERE / variant / str(json.loads((HERE / variant / "config.json").read_text())["folder"])


def arrays(variant: str, name: str) -> dict[str, NDArray[Any]]:
    """The arrays of `vectors` or `pixels`."""
    with np.load(HERE / variant / f"{name}.npz") as found:
        return {key: found[key] for key in found.files}
