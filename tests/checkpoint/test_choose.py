"""Choose one of a run's checkpoints by step or score."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.checkpoint import making
from training.checkpoint.choose import load_chosen
from training.checkpoint.errors import CheckpointError


def test_checkpoint_is_chosen_by_step_as_best_or_as_newest(tmp_path: Path) -> None:
    making.write(tmp_path, 1, 20, 3000, scores={1: 0.5, 20: 0.1, 3000: 0.3})
    assert making.is_whole(load_chosen(tmp_path, step=1), 1)
    assert making.is_whole(load_chosen(tmp_path, best=True), 20)
    assert making.is_whole(load_chosen(tmp_path), 3000)


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ((), "it has none yet."),
        ((7,), "it has that of step 7."),
        ((7, 20, 3000), "it has those of steps 7, 20 and 3,000."),
    ],
)
def test_missing_step_is_refused_with_the_existing_steps(
    tmp_path: Path, steps: tuple[int, ...], message: str
) -> None:
    making.write(tmp_path, *steps)
    with pytest.raises(CheckpointError) as refusal:
        load_chosen(tmp_path, step=5)
    assert str(refusal.value) == f"{tmp_path} has no checkpoint of step 5; {message}"


def test_best_without_scores_is_refused_with_the_existing_steps(tmp_path: Path) -> None:
    making.write(tmp_path, 7, 20)
    with pytest.raises(
        CheckpointError, match="with a score; choose one with --step N: it has those of steps 7"
    ):
        load_chosen(tmp_path, best=True)


def test_damaged_checkpoint_of_the_step_is_refused_and_not_replaced(tmp_path: Path) -> None:
    making.write(tmp_path, 7, 20, scores={7: 0.1, 20: 0.2})
    (tmp_path / "00000007" / "networks.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="is damaged"):
        load_chosen(tmp_path, step=7)
    assert making.is_whole(load_chosen(tmp_path, best=True), 20)
