"""Frame a face as training data is framed: the affine that turns it upright, and the framing of pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median
from typing import Final, NamedTuple

from models.faces.face import Face
from models.images.affine import Affine, Point

_HEIGHT_IN_SPANS: Final = 2.06
"""The height of a face's box in spans (see `upright`): the median of aligned faces."""
_ABOVE: Final = 0.067
"""How far the centre of the box is above the middle between eyes and mouth, in heights; of the same faces."""


class FaceFraming(NamedTuple):
    """How a face lies in a frame."""

    height: float
    """The face's height over the frame's."""
    centre_x: float
    """Of the face, from 0 at the frame's left edge to 1 at its right."""
    centre_y: float
    """Of the face, from 0 at the frame's top to 1 at its bottom."""


DEFAULT_FRAMING: Final = FaceFraming(height=0.878, centre_x=0.503, centre_y=0.535)
"""Of the faces that the shipped bundles were trained on: `measure_framing` of 160 of them."""


class UprightFace(NamedTuple):
    """The place of a face without its turn, in pixels."""

    centre: Point
    height: float
    turned_degrees: float


def upright(face: Face) -> UprightFace:
    """Return a face's centre, height and turn from its landmarks.

    The box of a turned face is wider and less high, and differs from face to face. The span, the root of the
    squared distances between the eyes and from eyes to mouth, differs by 4 % between faces, hardly with the
    turn, and remains where one of both shrinks in a face that looks aside or down.
    """
    eyes = _middle(face.landmarks.left_eye, face.landmarks.right_eye)
    mouth = _middle(face.landmarks.mouth_left, face.landmarks.mouth_right)
    apart = math.dist(face.landmarks.left_eye, face.landmarks.right_eye)
    height = _HEIGHT_IN_SPANS * math.hypot(apart, math.dist(eyes, mouth))
    between, turned = _middle(eyes, mouth), math.radians(face.turned_degrees)
    up = _ABOVE * height
    centre = Point(between.x + up * math.sin(turned), between.y - up * math.cos(turned))
    return UprightFace(centre, height, face.turned_degrees)


def frame_face(face: Face, *, height: int, width: int, framing: FaceFraming = DEFAULT_FRAMING) -> Affine:
    """Return the map from the photo into a frame of `height` x `width`, where the face is upright and framed.

    It turns, scales and moves, but does not distort.
    """
    centre, face_height, turned = upright(face)
    scale = framing.height * height / max(face_height, 1e-6)
    cosine, sine = scale * math.cos(math.radians(turned)), scale * math.sin(math.radians(turned))
    return Affine(
        cosine,
        sine,
        framing.centre_x * width - cosine * centre.x - sine * centre.y,
        -sine,
        cosine,
        framing.centre_y * height + sine * centre.x - cosine * centre.y,
    )


def framing_of(face: Face, *, height: int, width: int) -> FaceFraming:
    """Return how a face lies in its picture of `height` x `width`."""
    centre, face_height, _ = upright(face)
    return FaceFraming(face_height / height, centre.x / width, centre.y / height)


def measure_framing(framings: Iterable[FaceFraming]) -> FaceFraming | None:
    """Return the median framing of pictures, value by value; None without any."""
    values = list(framings)
    return FaceFraming(*map(median, zip(*values, strict=True))) if values else None


def _middle(one: Point, other: Point) -> Point:
    return Point((one.x + other.x) / 2, (one.y + other.y) / 2)
