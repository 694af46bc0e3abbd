"""Random numbers after a restore are those that would have come."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import torch

from training.checkpoint.content import Checkpoint, Packed
from training.checkpoint.randomness import random_state, restore_random_state
from training.checkpoint.read import load
from training.checkpoint.write import save


def draw() -> tuple[list[float], ...]:
    # An odd number of Gaussians: Python's and numpy's generators each keep the second of a pair.
    return (
        torch.randn(3).tolist(),
        np.random.randn(3).tolist(),
        [random.gauss(0, 1) for _ in range(3)],
        [random.random(), float(np.random.rand()), float(torch.rand(()))],
    )


def test_every_random_generator_is_restored(tmp_path: Path) -> None:
    draw()
    state = random_state()
    path = save(tmp_path / "checkpoints", Checkpoint(1, {"random": state.tensors}, state.scalars))
    expected = draw()
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    assert draw() != expected
    found = load(path)
    restore_random_state(Packed(found.tensors["random"], found.scalars))
    assert draw() == expected


def test_random_state_can_be_restored_more_than_once() -> None:
    state = random_state()
    expected = draw()
    for _ in range(2):
        restore_random_state(state)
        assert draw() == expected
