"""Which checkpoints are kept."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

import training.checkpoint.verified as verified_module
from tests.checkpoint import making
from training.checkpoint.best import find_best
from training.checkpoint.errors import CheckpointError
from training.checkpoint.keep import keep
from training.checkpoint.read import load_newest
from training.checkpoint.verified import Verified


def damage(folder: Path) -> None:
    (folder / "networks.safetensors").write_bytes(b"")


def test_newest_and_best_are_kept(tmp_path: Path) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1, 2, 3, 4, 5, scores={1: 0.9, 2: 0.1, 3: 0.5, 5: 0.4})
    assert [path.name for path in keep(directory, last=2)] == ["00000001", "00000003"]
    assert making.names(directory) == ["00000002", "00000004", "00000005"]
    assert making.is_whole(load_newest(directory)[0], 5)
    assert json.loads((tmp_path / "latest.json").read_text())["best"]["step"] == 2


def test_best_among_the_newest_is_not_kept_twice(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1, 2, 3, scores={1: 0.9, 2: 0.5, 3: 0.1})
    keep(tmp_path / "checkpoints", last=1)
    assert making.names(tmp_path / "checkpoints") == ["00000003"]


def test_of_equal_scores_the_newer_is_the_best(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1, 2, 3, scores={1: 0.5, 2: 0.5})
    assert find_best(tmp_path / "checkpoints") == tmp_path / "checkpoints" / "00000002"
    keep(tmp_path / "checkpoints", last=1)
    assert making.names(tmp_path / "checkpoints") == ["00000002", "00000003"]


def test_without_scores_only_the_newest_are_kept(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 9, 10, 100)
    assert find_best(tmp_path / "checkpoints") is None
    keep(tmp_path / "checkpoints", last=2)
    assert making.names(tmp_path / "checkpoints") == ["00000010", "00000100"]


def test_fewer_than_the_limit_are_all_kept(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    assert keep(tmp_path / "checkpoints", last=3) == []
    assert making.names(tmp_path / "checkpoints") == ["00000001", "00000002"]


def test_damaged_checkpoint_does_not_count_as_kept(tmp_path: Path) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1, 2, 3)
    damage(directory / "00000002")
    damage(directory / "00000003")
    assert keep(directory, last=1) == []
    assert making.is_whole(load_newest(directory)[0], 1)


def test_damaged_checkpoint_is_deleted_once_enough_newer_ones_verify(tmp_path: Path) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1, 2, 3, 4, scores={1: 0.2, 2: 0.1})
    damage(directory / "00000002")
    keep(directory, last=2)
    assert making.names(directory) == ["00000001", "00000003", "00000004"]
    assert json.loads((tmp_path / "latest.json").read_text())["best"]["step"] == 1


def test_nothing_is_deleted_if_none_verifies(tmp_path: Path) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1, 2)
    damage(directory / "00000001")
    damage(directory / "00000002")
    assert keep(directory, last=1) == []
    assert making.names(directory) == ["00000001", "00000002"]


def test_keeping_zero_checkpoints_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="At least 1 checkpoint must be kept, got 0"):
        keep(tmp_path, last=0)


def test_checkpoint_that_cannot_be_deleted_stays_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1, 2)

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr("os.rename", refuse)
        with pytest.raises(
            CheckpointError, match=r"00000001 is too old.* not be deleted: Input/output error\.$"
        ):
            keep(directory, last=1)
    assert making.names(directory) == ["00000001", "00000002"]


def test_each_checkpoint_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory, read = tmp_path / "checkpoints", []
    real = verified_module.verify
    monkeypatch.setattr(verified_module, "verify", lambda path: read.append(path.name) or real(path))
    verified = Verified()
    for step in range(1, 6):
        making.write(directory, step, scores={step: 1 / step})
        keep(directory, last=2, verified=verified)
    assert sorted(read) == sorted(set(read))
    assert making.names(directory) == ["00000004", "00000005"]


def test_changed_checkpoint_is_read_again(tmp_path: Path) -> None:
    directory, verified = tmp_path / "checkpoints", Verified()
    making.write(directory, 1, 2)
    assert verified.check(directory / "00000002")
    damage(directory / "00000002")
    assert not verified.check(directory / "00000002")
    making.write(directory, 3)
    damage(directory / "00000003")
    assert keep(directory, last=1, verified=verified) == []
