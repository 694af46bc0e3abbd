"""One of a run's checkpoints, by its step or its score."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkpoint import making
from training.checkpoint.choose import load_chosen
from training.checkpoint.errors import CheckpointError


def test_a_step_the_best_or_the_newest_is_chosen(tmp_path: Path) -> None:
    making.write(tmp_path, 1, 20, 3000, scores={1: 0.5, 20: 0.1, 3000: 0.3})
    assert making.is_whole(load_chosen(tmp_path, step=1), 1)
    assert making.is_whole(load_chosen(tmp_path, best=True), 20)
    assert making.is_whole(load_chosen(tmp_path), 3000)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ((), "it has none yet."),
        ((7,), "it has that of step 7."),
        ((7, 20, 3000), "it has those of steps 7, 20 and 3,000."),
    ],
)
def test_a_step_that_is_not_there_names_those_that_are(
    tmp_path: Path, steps: tuple[int, ...], says: str
) -> None:
    making.write(tmp_path, *steps)
    with pytest.raises(CheckpointError) as refusal:
        load_chosen(tmp_path, step=5)
    assert str(refusal.value) == f"{tmp_path} has no checkpoint of step 5; {says}"


def test_without_a_score_there_is_no_best_and_the_steps_are_named(tmp_path: Path) -> None:
    making.write(tmp_path, 7, 20)
    with pytest.raises(
        CheckpointError, match="with a score; choose one with --step N: it has those of steps 7"
    ):
        load_chosen(tmp_path, best=True)


def test_a_damaged_checkpoint_of_the_step_is_refused_and_not_replaced(tmp_path: Path) -> None:
    making.write(tmp_path, 7, 20, scores={7: 0.1, 20: 0.2})
    (tmp_path / "00000007" / "networks.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="is damaged"):
        load_chosen(tmp_path, step=7)
    assert making.is_whole(load_chosen(tmp_path, best=True), 20)
