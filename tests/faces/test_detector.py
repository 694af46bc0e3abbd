"""Test the face detector: it finds the same face wherever and however it lies in a photo."""

from __future__ import annotations

import numpy as np
import pytest

from models.faces.detector import FaceDetector, largest
from models.faces.face import Face
from models.images.affine import Point
from tests.faces.scenes import Pixels, foliage, portrait, scene

DETECTOR = FaceDetector()
FACE_HEIGHT = 0.86  # of the portrait's height


def only_face(pixels: Pixels) -> Face:
    (face,) = DETECTOR.detect(pixels)
    return face


def is_near(point: Point, x: float, y: float, *, within: float) -> bool:
    return bool(np.hypot(point.x - x, point.y - y) <= within)


def test_face_of_the_portrait_has_box_landmarks_and_score() -> None:
    face = only_face(np.asarray(portrait()))
    assert is_near(face.landmarks.left_eye, 90, 113, within=4)
    assert is_near(face.landmarks.right_eye, 167, 113, within=4)
    assert is_near(face.landmarks.nose, 130, 163, within=6)
    assert is_near(face.box.centre, 127, 140, within=8)
    assert face.box.height == pytest.approx(FACE_HEIGHT * 256, rel=0.08)
    assert 0.99 < face.score <= 1
    assert abs(face.turned_degrees) < 3


@pytest.mark.parametrize("side", [56, 110, 300])
def test_face_is_found_at_its_place_in_the_photo(side: int) -> None:
    face = only_face(scene((250, 200), side=side))
    assert is_near(face.box.centre, 250, 200 + 0.05 * side, within=0.06 * side)
    assert face.box.height == pytest.approx(FACE_HEIGHT * side, rel=0.12)


@pytest.mark.parametrize("scale", [2, 3, 6])
def test_enlarged_photo_has_the_same_face(scale: int) -> None:
    photo = scene((300, 200), size=(600, 400))
    before = only_face(photo)
    after = only_face(photo.repeat(scale, axis=0).repeat(scale, axis=1))
    assert np.array(after.box) / scale == pytest.approx(np.array(before.box), abs=6)
    assert np.array(after.landmarks) / scale == pytest.approx(np.array(before.landmarks), abs=4)


def test_mirrored_photo_has_the_mirrored_face() -> None:
    photo = scene((200, 200), side=160, turned=15)
    face, mirrored = only_face(photo), only_face(photo[:, ::-1])
    width = photo.shape[1]
    assert is_near(
        mirrored.landmarks.left_eye, width - face.landmarks.right_eye.x, face.landmarks.right_eye.y, within=4
    )
    assert is_near(mirrored.box.centre, width - face.box.centre.x, face.box.centre.y, within=6)
    assert mirrored.turned_degrees == pytest.approx(-face.turned_degrees, abs=4)


@pytest.mark.parametrize("side", [80, 160, 300])
@pytest.mark.parametrize("turned", [-40, -25, -10, 10, 25, 40])
def test_turned_face_is_found_with_its_turn(turned: int, side: int) -> None:
    face = only_face(scene((320, 240), side=side, turned=turned))
    assert face.turned_degrees == pytest.approx(turned, abs=3)


def test_every_face_of_a_group_is_found() -> None:
    places = [(x, y) for x in (80, 240, 400, 560) for y in (90, 240, 390)]
    faces = DETECTOR.detect(scene(*places))
    assert len(faces) == len(places)
    assert all(any(is_near(face.box.centre, *place, within=15) for face in faces) for place in places)


def test_dark_face_is_found() -> None:
    assert len(DETECTOR.detect((scene((320, 240)) * 0.12).astype(np.uint8))) == 1


def test_face_that_the_edge_cuts_is_found() -> None:
    assert only_face(scene((28, 240), side=160)).box.x < 0


@pytest.mark.parametrize(
    "shape", [(0, 0), (0, 9), (1, 1), (1, 9), (12, 12), (1, 16_384), (16_384, 3), (40, 4000)]
)
def test_picture_without_room_for_a_face_has_none(shape: tuple[int, int]) -> None:
    assert DETECTOR.detect(np.full((*shape, 3), 90, np.uint8)) == []


def test_pictures_without_a_face_have_none() -> None:
    for pixels in (
        foliage(480, 640),
        np.zeros((300, 300, 3), np.uint8),
        np.full((300, 300, 3), 255, np.uint8),
    ):
        assert DETECTOR.detect(pixels) == []


def test_equal_pixels_give_equal_faces_at_every_detector() -> None:
    photo = scene((150, 150), (450, 300), turned=10)
    assert DETECTOR.detect(photo) == DETECTOR.detect(photo.copy()) == FaceDetector().detect(photo)


def test_read_only_and_strided_pixels_are_taken() -> None:
    photo = scene((320, 240))
    padded = np.zeros((480, 640, 4), np.uint8)
    padded[..., :3] = photo
    photo.setflags(write=False)
    assert DETECTOR.detect(padded[..., :3]) == DETECTOR.detect(photo)


def test_largest_face_is_chosen() -> None:
    small, large = scene((150, 150), side=80), scene((450, 300), side=200)
    both = np.where(np.arange(640)[None, :, None] < 300, small, large)
    face = largest(DETECTOR.detect(both))
    assert face is not None
    assert face.box.centre.x > 300
    assert largest([]) is None
