"""Find the face in a test picture, for the figure of attention in faces."""

from __future__ import annotations

import math

from models.faces.detector import FaceDetector, largest
from models.faces.face import FaceBox
from models.images.frame import Box
from training.evaluation.data import Pixels
from training.evaluation.figures import FindFace


def face_finder() -> FindFace:
    """Return a function that finds the box of the largest face in a picture, uint8 [H, W, 3]."""
    detector = FaceDetector()

    def find_face(pixels: Pixels) -> Box | None:
        face = largest(detector.detect(pixels))
        return None if face is None else _inside(face.box, height=pixels.shape[0], width=pixels.shape[1])

    return find_face


def _inside(box: FaceBox, *, height: int, width: int) -> Box | None:
    """Return the whole pixels of a box that are in the picture; None without any."""
    left, top = max(0, math.floor(box.x)), max(0, math.floor(box.y))
    right, bottom = min(width, math.ceil(box.x + box.width)), min(height, math.ceil(box.y + box.height))
    return Box(left, top, right, bottom) if left < right and top < bottom else None
