"""What a found face is: its box, landmarks, score and turn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from models.images.affine import Point


class FaceBox(NamedTuple):
    """The upright rectangle around a face in pixels; it may reach beyond the picture's edge."""

    x: float
    y: float
    width: float
    height: float

    @property
    def centre(self) -> Point:
        """Return the middle of the box."""
        return Point(self.x + self.width / 2, self.y + self.height / 2)


class Landmarks(NamedTuple):
    """Five places of a face; left and right as the picture shows them."""

    left_eye: Point
    right_eye: Point
    nose: Point
    mouth_left: Point
    mouth_right: Point


@dataclass(frozen=True)
class Face:
    """A face in a picture, in pixels of that picture."""

    box: FaceBox
    landmarks: Landmarks
    score: float
    """The last network's probability that this is a face, 0 to 1."""

    @property
    def turned_degrees(self) -> float:
        """Return the angle of the line through the eyes, -180 to 180; positive is clockwise."""
        left, right = self.landmarks.left_eye, self.landmarks.right_eye
        return math.degrees(math.atan2(right.y - left.y, right.x - left.x))
