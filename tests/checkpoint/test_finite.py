"""No checkpoint to go on from holds NaN or infinity."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tests.checkpoint import making
from training.checkpoint.best import find_best
from training.checkpoint.content import Checkpoint
from training.checkpoint.errors import CheckpointError
from training.checkpoint.finite import refuse_non_finite
from training.checkpoint.keep import keep
from training.checkpoint.read import load_newest
from training.checkpoint.write import save


def broken(step: int, value: float = math.nan, group: str = "networks") -> Checkpoint:
    """A checkpoint as early versions could write it."""
    found = making.checkpoint(step)
    next(iter(found.tensors[group].values()))[0, 0] = value
    return found


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("group", ["networks", "optimizers"])
def test_a_state_that_is_not_finite_is_refused_by_name(value: float, group: str) -> None:
    refuse_non_finite(making.checkpoint(3))
    with pytest.raises(CheckpointError, match=f"^The state of step 3 holds .* not finite, in {group}/"):
        refuse_non_finite(broken(3, value, group))


def test_the_newest_finite_checkpoint_is_read_and_skipped_ones_are_named(tmp_path: Path) -> None:
    making.write(tmp_path, 1)
    save(tmp_path, broken(2))
    found, skipped = load_newest(tmp_path)
    assert making.is_whole(found, 1)
    assert [each.path.name for each in skipped] == ["00000002"]
    assert "holds values that are not finite, in networks/genA2B/encoder.weight" in skipped[0].reason


def test_a_finite_state_replaces_a_non_finite_one_of_the_same_step(tmp_path: Path) -> None:
    save(tmp_path, broken(2))
    making.write(tmp_path, 2)
    assert making.is_whole(load_newest(tmp_path)[0], 2)


def test_non_finite_checkpoints_do_not_count_as_kept_and_are_never_best(tmp_path: Path) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1, scores={1: 0.5})
    save(directory, broken(2), score=0.1)
    save(directory, broken(3), score=0.2)
    assert keep(directory, last=1) == []
    assert find_best(directory) == directory / "00000001"
    making.write(directory, 4)
    keep(directory, last=1)
    assert making.names(directory) == ["00000001", "00000004"]
