"""Measure how well a photo suits a network that was trained on framed faces."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from models.bundle.manifest import ImageSize
from models.faces.face import Face
from models.faces.framing import upright
from models.images.frame import Frame
from models.images.placement import Placement

_SHARP: Final = 0.11
"""The share of fine detail in the median of 40 sharp faces at 128 px; blurred by a pixel they have 0.04."""


class FaceQuality(NamedTuple):
    """How the main face lies in the photo as it was taken: in the frame that `fit` cuts out."""

    height: float
    """The face's height over the frame's."""
    centre_x: float
    """From 0 at the frame's left edge to 1 at its right."""
    centre_y: float
    """From 0 at the frame's top to 1 at its bottom."""
    turned_degrees: float
    """Positive is clockwise."""
    pixels: float
    """The face's height in pixels of the photo."""


class InputQuality(NamedTuple):
    """How well a photo suits the network."""

    sharpness: float
    """Of the network's input: 0 for a blurred picture, 1 for a sharp one."""
    face: FaceQuality | None
    """None if no face was found."""


def measure_input(frame: Frame, face: Face | None, whole: Placement, size: ImageSize) -> InputQuality:
    """Return the quality of a frame and of the face that it was made for.

    Args:
        frame: the network's input.
        face: the main face of the photo, if any.
        whole: where the photo would lie in the frame without a search for faces.
        size: of the frame.
    """
    return InputQuality(sharpness(frame), None if face is None else _face_quality(face, whole, size))


def sharpness(frame: Frame) -> float:
    """Return how much fine detail a frame has, from 0 to 1.

    It is the part of the contrast that a picture of half the size cannot hold.
    """
    grey = Image.fromarray(frame.pixels).convert("L")
    half = grey.resize((max(1, grey.width // 2), max(1, grey.height // 2)), Resampling.BOX)
    smooth = np.asarray(half.resize(grey.size, Resampling.BICUBIC), dtype=np.float32)
    values = np.asarray(grey, dtype=np.float32)
    contrast = float(values.std())
    if contrast < 1:
        return 0.0
    return min(1.0, float(np.sqrt(np.mean((values - smooth) ** 2))) / contrast / _SHARP)


def _face_quality(face: Face, whole: Placement, size: ImageSize) -> FaceQuality:
    centre, height, turned = upright(face)
    place = whole.to_frame.apply(centre)
    _, scale = whole.to_frame.scale
    return FaceQuality(
        height * scale / size.height, place.x / size.width, place.y / size.height, turned, height
    )
