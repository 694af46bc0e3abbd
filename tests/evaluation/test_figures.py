"""The figures besides KID and FID, on pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from models.images.frame import Box
from training.evaluation.figures import correct, l1, shares_in_faces, sharpness


def test_black_and_white_are_two_apart() -> None:
    black, white = np.zeros((2, 4, 4, 3), np.uint8), np.full((2, 4, 4, 3), 255, np.uint8)
    assert l1(black, white).tolist() == [2, 2]
    assert l1(white, white).tolist() == [0, 0]


def test_the_classifier_is_right_where_the_mean_of_both_probabilities_is() -> None:
    logits = np.array([[3, 2], [-3, -2], [5, -1], [1, -5]], np.float32)
    assert correct(logits, source=True).tolist() == [1, 0, 1, 0]
    assert correct(logits, source=False).tolist() == [0, 1, 0, 1]


def test_a_blurred_picture_is_less_sharp() -> None:
    sharp = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 3), dtype=np.uint8)
    once = (sharp.astype(int) + np.roll(sharp, 1, axis=1)) // 2
    blurred = ((once + np.roll(once, 1, axis=2)) // 2).astype(np.uint8)
    assert sharpness(blurred)[0] < sharpness(sharp)[0] / 4
    assert sharpness(np.full((1, 8, 8, 3), 77, np.uint8))[0] == pytest.approx(0, abs=1e-9)


def test_attention_in_faces_counts_only_pictures_with_a_face_and_a_mass() -> None:
    pixels = np.zeros((4, 8, 8, 3), np.uint8)
    pixels[:, 0, 0, 0] = [0, 1, 2, 3]
    maps = np.ones((4, 4, 4), np.float32)
    maps[1, :2, :2] = 13  # 52 of the 64 lie in the upper left quarter
    maps[2] = 0

    def find_face(picture: np.ndarray) -> Box | None:
        return None if picture[0, 0, 0] == 3 else Box(0, 0, 4, 4)

    assert shares_in_faces(maps, pixels, find_face).tolist() == [0.25, 0.8125]
