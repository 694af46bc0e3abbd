"""A model with one session for each shape."""

from __future__ import annotations

import numpy as np
import pytest

from app.engine.runtime.fixed_shapes import FixedShapeModel
from app.engine.runtime.session import Execution, Shape
from tests.fake_engine import FakeModel


class Opener:
    """Opens a model for a shape and remembers it."""

    def __init__(self) -> None:
        self.opened: dict[Shape, list[FakeModel]] = {}

    def __call__(self, shape: Shape) -> FakeModel:
        model = FakeModel()
        self.opened.setdefault(shape, []).append(model)
        return model


def pixels(batch: int, side: int = 32) -> np.ndarray:
    return np.zeros((batch, side, side, 3), np.uint8)


def test_every_shape_is_opened_once_and_run_by_its_own_session() -> None:
    opener = Opener()
    model = FixedShapeModel(opener, Execution("some", "float32"))
    for batch in (1, 2, 1, 2, 1):
        model.run(pixels(batch))
    assert {shape: [each.batches for each in made] for shape, made in opener.opened.items()} == {
        (1, 32, 32): [[1, 1, 1]],
        (2, 32, 32): [[2, 2]],
    }


def test_no_other_shape_is_opened_after_prepare_shapes() -> None:
    opener = Opener()
    model = FixedShapeModel(opener, Execution("some", "float32"))
    model.prepare_shapes([(1, 32, 32)])
    model.run(pixels(1))
    with pytest.raises(AssertionError, match="was not prepared"):
        model.run(pixels(1, side=64))
    assert list(opener.opened) == [(1, 32, 32)]


def test_terminate_reaches_the_current_run() -> None:
    opener = Opener()
    model = FixedShapeModel(opener, Execution("some", "float32"))
    model.run(pixels(1))
    model.run(pixels(2))
    model.terminate()
    assert [made[0].terminations for made in opener.opened.values()] == [1, 1]
