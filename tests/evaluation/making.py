"""A data set, translators and an extractor so small that an evaluation takes no time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from models.bundle.canary import smooth_picture
from training.evaluation.data import Pixels
from training.evaluation.extractor import FeatureArray


class Colours:
    """An extractor whose features are the colours of 4 x 4 places: quick, and known by heart."""

    name: Final = "colours"
    weights: Final = "none.pth"
    sha256: Final = "0" * 64
    suffix: Final = "-colours"

    def features(self, pictures: Iterable[Pixels]) -> FeatureArray:
        return np.stack([self._features(picture) for picture in pictures])

    def _features(self, picture: Pixels) -> FeatureArray:
        small = Image.fromarray(picture).resize((4, 4), Image.Resampling.BOX)
        return np.asarray(small, dtype=np.float32).ravel() / 64 - 2


def draw_data(folder: Path, *, a: int = 5, b: int = 4, size: int = 40) -> Path:
    """testA smooth, testB in two colours; no training pictures."""
    for domain, count in (("A", a), ("B", b)):
        (folder / f"test{domain}").mkdir(parents=True)
        for number in range(count):
            picture = smooth_picture(size, size, seed=number + (100 if domain == "B" else 0))
            if domain == "B":
                picture = np.where(picture > 127, 230, 20).astype(np.uint8)
            Image.fromarray(picture).save(folder / f"test{domain}" / f"{number}.png")
    return folder
