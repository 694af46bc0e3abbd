"""Which checkpoint is the best: by the figures of evaluations where there are any, else by the scores."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from tests.checkpoint import making
from training.checkpoint.best import find_best
from training.checkpoint.choose import load_chosen
from training.checkpoint.errors import CheckpointError
from training.checkpoint.keep import keep
from training.checkpoint.manifest import CheckpointFigure
from training.checkpoint.read import load_newest, read_manifest
from training.checkpoint.write import record_figure

SCORES = {1: 0.1, 2: 0.2, 3: 0.3}


def figure(value: float, *, extractor: str = "efficientnet-lite0", data: str = "a") -> CheckpointFigure:
    return CheckpointFigure(
        value=value, metric="kid-lite", protocol="plain", extractor=extractor, extractor_sha256="0", data=data
    )


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Three checkpoints, of which the first has the best score."""
    making.write(tmp_path / "checkpoints", 1, 2, 3, scores=SCORES)
    return tmp_path / "checkpoints"


def best_step(directory: Path) -> int:
    best = find_best(directory)
    assert best is not None
    return int(best.name)


def test_figures_decide_before_scores(directory: Path) -> None:
    assert best_step(directory) == 1
    record_figure(directory, 2, figure(0.4))
    assert best_step(directory) == 2  # the others were not evaluated
    record_figure(directory, 3, figure(0.3))
    assert best_step(directory) == 3
    assert load_chosen(directory, best=True).step == 3
    latest = json.loads((directory.parent / "latest.json").read_text())
    assert (latest["best"]["step"], latest["best"]["score"]) == (3, 0.3)
    assert latest["best"]["figure"]["value"] == 0.3


def test_figures_of_another_extractor_or_other_pictures_are_not_compared(directory: Path) -> None:
    record_figure(directory, 1, figure(0.01, extractor="inception"))
    record_figure(directory, 2, figure(0.4))
    record_figure(directory, 3, figure(0.5))
    assert best_step(directory) == 2  # 0.01 of another extractor does not win
    record_figure(directory, 3, figure(0.9, data="b"))
    assert best_step(directory) == 3


def test_the_best_by_its_figure_is_kept(directory: Path) -> None:
    record_figure(directory, 2, figure(0.1))
    record_figure(directory, 3, figure(0.2))
    keep(directory, last=1)
    assert making.names(directory) == ["00000002", "00000003"]


def test_a_figure_leaves_the_state_and_the_score_as_they_are(directory: Path) -> None:
    before = read_manifest(directory / "00000003")
    record_figure(directory, 3, figure(0.4))
    after = read_manifest(directory / "00000003")
    assert (after.digest, after.score) == (before.digest, before.score)
    assert making.is_whole(load_newest(directory)[0], 3)
    making.write(directory, 3, scores={3: 0.3})  # a resumed run saves the same state again
    assert read_manifest(directory / "00000003").figure == figure(0.4)


def test_a_checkpoint_without_a_figure_has_the_manifest_of_earlier_versions(directory: Path) -> None:
    assert json.loads((directory / "00000001" / "manifest.json").read_text()).keys() == {
        "format",
        "step",
        "score",
        "files",
        "sha256",
    }


def test_a_full_disk_leaves_the_checkpoint_as_it_was(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = read_manifest(directory / "00000003")
    with monkeypatch.context() as patch:
        patch.setattr("training.checkpoint.write.write_file", refuse)
        with pytest.raises(CheckpointError, match=r"step 3 .* \(No space left on device\); the checkpoint"):
            record_figure(directory, 3, figure(0.4))
    assert read_manifest(directory / "00000003") == before
    assert making.names(directory) == ["00000001", "00000002", "00000003"]
