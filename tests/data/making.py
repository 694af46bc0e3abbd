"""Data sets for the tests, drawn by code."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data.config import DataConfig
from training.data.scan import ScanResult, scan

CONFIG = DataConfig(size=16, resize_margin=4)
SOME = {"trainA": 5, "trainB": 7, "testA": 2, "testB": 3}


def drawn(number: int, height: int = 40, width: int = 48) -> NDArray[np.uint8]:
    """Soft coloured blobs; another number is another picture."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def make_folder(root: Path, counts: dict[str, int] = SOME) -> Path:
    """A data set of PNG files, all different."""
    number = 0
    for name, count in counts.items():
        (root / name).mkdir(parents=True)
        for place in range(count):
            Image.fromarray(drawn(number)).save(root / name / f"{place:03}.png")
            number += 1
    return root


def scanned(root: Path, counts: dict[str, int] = SOME) -> ScanResult:
    return scan(make_folder(root, counts))
