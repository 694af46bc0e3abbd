"""Which faces of a photo are translated, and the choice among the found ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from app.engine.errors import NoFaceFound
from models.faces.face import Face

FaceMode = Literal["none", "auto", "largest", "all", "at"]

_ADVICE: Final = (
    "send a photo in which a face has at least 3 % of the longer side and is turned by at most 40 degrees, "
    "or use face=none to translate the photo as fit says"
)
_BESIDE: Final = 0.5
"""How far beside a face's box a click may be, over the box's longer side."""


class FaceChoice(NamedTuple):
    """Which faces to translate."""

    mode: FaceMode = "auto"
    """none: the photo as its fit says. auto: the largest face, or as none if there is no face. largest, all,
    at: the largest face, every face, the face at a place; a photo without one is refused."""
    x: float = 0.0
    """The place of `at`, in pixels of the upright photo."""
    y: float = 0.0


class FoundFace(NamedTuple):
    """A face in a photo."""

    face: Face
    translated: bool


def choose_faces(found: Sequence[Face], choice: FaceChoice, *, most: int) -> list[Face]:
    """Return the faces to translate, the largest first; empty for `auto` without a face.

    Args:
        found: the faces of a photo, the largest first.
        choice: which of them.
        most: how many of `all`.

    Raises:
        NoFaceFound: the choice needs a face, and there is none.
    """
    if choice.mode == "at":
        return [_face_at(found, choice)]
    if not found and choice.mode != "auto":
        raise NoFaceFound(f"A face is needed for face={choice.mode}, but none was found; {_ADVICE}.")
    return list(found[: most if choice.mode == "all" else 1])


def by_size(faces: Sequence[Face]) -> list[Face]:
    """Return faces in the order of their boxes' areas, the largest first."""
    return sorted(faces, key=lambda face: -face.box.width * face.box.height)


def _face_at(found: Sequence[Face], choice: FaceChoice) -> Face:
    """Return the face whose centre is nearest to the place, among those whose box is there or close by."""
    place = (choice.x, choice.y)
    near = [
        face for face in found if _distance(face, place) <= _BESIDE * max(face.box.width, face.box.height)
    ]
    if not near:
        where = f"A face is needed at x={choice.x:g}, y={choice.y:g}"
        if not found:
            raise NoFaceFound(f"{where}, but none was found in the photo; {_ADVICE}.")
        raise NoFaceFound(
            f"{where}, but none of the {len(found)} found faces is there; use a place inside one, in pixels "
            "of the upright photo, or face=largest."
        )
    return min(near, key=lambda face: math.dist(face.box.centre, place))


def _distance(face: Face, place: tuple[float, float]) -> float:
    """Return how far a place is from a face's box; 0 inside."""
    box, (x, y) = face.box, place
    return math.hypot(max(box.x - x, 0, x - box.x - box.width), max(box.y - y, 0, y - box.y - box.height))
