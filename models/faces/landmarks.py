"""Find the landmarks of turned faces by a second look at the upright face."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.faces.boxes import Boxes
from models.faces.networks import Networks
from models.faces.pyramid import Pyramid

Places = NDArray[np.float32]
"""The five landmarks (x, y) of each face, [N, 5, 2]."""

_UPRIGHT: Final = 0.14
"""Radians (8 degrees): a face that is turned by less needs no second look."""
_FACE: Final = 0.8
"""The least probability of a face in the second look; below it, the landmarks of the first one are kept."""


def look_again(networks: Networks, pyramid: Pyramid, squares: Boxes, landmarks: Places) -> Places:
    """Return the landmarks in pixels; those of turned faces from a second look, at the upright face.

    O-Net learned from faces that are nearly upright: at 40 degrees its first answer for the turn was wrong by
    up to 9 degrees, the second one by less than 2.

    Args:
        networks: of the cascade.
        pyramid: the photo.
        squares: around the faces, [N, 4].
        landmarks: O-Net's for these squares, in sides of the square.
    """
    eyes = landmarks[:, 1] - landmarks[:, 0]
    turns = np.arctan2(eyes[:, 1], eyes[:, 0])
    turned = np.flatnonzero(np.abs(turns) >= _UPRIGHT)
    places, used = landmarks.copy(), np.zeros_like(turns)
    if len(turned):
        answer = networks.decide(pyramid.turned_parts(squares[turned], 48, turns[turned]))
        assert answer.landmarks is not None, "O-Net finds landmarks"
        again = answer.probability > _FACE
        places[turned[again]], used[turned[again]] = answer.landmarks[again], turns[turned[again]]
    return _in_pixels(places, squares, used)


def _in_pixels(places: Places, squares: Boxes, turns: NDArray[np.float32]) -> Places:
    """Return places in sides of squares that are turned about their centres, in pixels."""
    x, y = (places - 0.5).transpose(2, 0, 1)  # [N, 5] each, from the square's centre
    cosine, sine = np.cos(turns)[:, None], np.sin(turns)[:, None]
    from_centre = np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=2)
    sides, centres = squares[:, 2:] - squares[:, :2], (squares[:, :2] + squares[:, 2:]) / 2
    pixels: Places = centres[:, None] + from_centre * sides[:, None]
    return pixels
