"""Test the framing of faces: the map into the frame, its inverse, and the framing of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from models.faces.detector import FaceDetector
from models.faces.face import Face
from models.faces.framing import (
    DEFAULT_FRAMING,
    FaceFraming,
    frame_face,
    framing_of,
    measure_framing,
)
from models.images.affine import Affine, Point
from tests.faces.scenes import Pixels, portrait, scene

DETECTOR = FaceDetector()


def framed(photo: Pixels, framing: FaceFraming, *, height: int, width: int) -> Face:
    """Return the face found in the frame that is cut out of a photo with one face."""
    (face,) = DETECTOR.detect(photo)
    cut = frame_face(face, height=height, width=width, framing=framing).inverse()
    frame = Image.fromarray(photo).transform(
        (width, height), Image.Transform.AFFINE, cut, Image.Resampling.BICUBIC
    )
    (again,) = DETECTOR.detect(np.asarray(frame))
    return again


@pytest.mark.parametrize("turned", [-38, -20, 0, 20, 38])
def test_turned_face_becomes_upright_and_framed(turned: int) -> None:
    face = framed(scene((300, 250), side=180, turned=turned), DEFAULT_FRAMING, height=256, width=256)
    height, *centre = framing_of(face, height=256, width=256)
    assert abs(face.turned_degrees) < 5
    assert height == pytest.approx(DEFAULT_FRAMING.height, rel=0.1)
    assert centre == pytest.approx([DEFAULT_FRAMING.centre_x, DEFAULT_FRAMING.centre_y], abs=0.03)


def test_framing_of_another_data_set_is_reached_in_a_frame_of_any_shape() -> None:
    wanted = FaceFraming(height=0.5, centre_x=0.6, centre_y=0.4)
    face = framed(scene((300, 250), side=180, turned=15), wanted, height=200, width=320)
    assert list(framing_of(face, height=200, width=320)) == pytest.approx(list(wanted), abs=0.04)


def test_aligned_portrait_has_the_default_framing_and_stays_as_it_is() -> None:
    (face,) = DETECTOR.detect(np.asarray(portrait()))
    assert list(framing_of(face, height=256, width=256)) == pytest.approx(list(DEFAULT_FRAMING), abs=0.05)
    identity = Affine(1, 0, 0, 0, 1, 0)
    assert np.array(frame_face(face, height=256, width=256))[[0, 1, 3, 4]] == pytest.approx(
        np.array(identity)[[0, 1, 3, 4]], abs=0.06
    )


def test_inverse_maps_back() -> None:
    forth = Affine(0.5, 0.25, -7, -0.25, 0.5, 40)
    assert list(forth.inverse().apply(forth.apply(Point(12, 34)))) == pytest.approx([12, 34])
    assert list(forth.inverse().inverse()) == pytest.approx(list(forth))


def test_framing_of_pictures_is_the_median() -> None:
    framings = [FaceFraming(0.8, 0.5, 0.5), FaceFraming(0.2, 0.1, 0.9), FaceFraming(0.9, 0.52, 0.6)]
    assert measure_framing(framings) == FaceFraming(0.8, 0.5, 0.6)
    assert measure_framing([]) is None
