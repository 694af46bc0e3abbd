"""A disk that fails in any call of a save: one sentence, and the old checkpoint is used."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from tests.checkpoint import making
from tests.checkpoint.disk_faults import CALLS, ShouldFail, failing_disk
from training.checkpoint.errors import CheckpointError
from training.checkpoint.read import load_newest
from training.checkpoint.write import save

GROWING = ("open", "write", "fsync", "mkdir")
"""The calls that need space."""


class Once:
    """Fail only in the n-th call."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.calls = 0

    def __call__(self, name: str) -> bool:
        self.calls += 1
        return self.calls == self.at and name in CALLS

    @property
    def has_failed(self) -> bool:
        return self.calls >= self.at


class Full(Once):
    """Fail in every call that needs space, from the n-th on."""

    def __call__(self, name: str) -> bool:
        self.calls += 1
        return self.calls >= self.at and name in GROWING


def failure_of(code: int) -> OSError:
    return OSError(code, os.strerror(code))


def save_under(should_fail: ShouldFail, code: int, directory: Path, step: int) -> str | None:
    """Save while the disk fails; return the error message, or None if the save succeeded."""
    with failing_disk(should_fail, failure_of(code)):
        try:
            save(directory, making.checkpoint(step))
        except CheckpointError as error:
            return str(error)
    return None


@pytest.mark.parametrize(("kind", "code"), [(Once, errno.ENOSPC), (Once, errno.EIO), (Full, errno.ENOSPC)])
def test_fault_at_any_disk_call_is_one_sentence_and_keeps_the_old_checkpoint(
    tmp_path: Path, kind: type[Once], code: int
) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1)
    at = failures = 0
    while True:
        at += 1
        should_fail = kind(at)
        sentence = save_under(should_fail, code, directory, 2)
        if not should_fail.has_failed:
            break
        found, skipped = load_newest(directory)
        assert skipped == []
        assert making.names(tmp_path) == ["checkpoints", "latest.json"]
        if sentence is None:  # the failing call came after the checkpoint was safe, or needed no space
            assert making.is_whole(found, 2)
        else:
            failures += 1
            assert os.strerror(code) in sentence
            assert sentence.endswith(".")
            assert "\n" not in sentence
            if "latest.json could not be written" in sentence:
                assert making.is_whole(found, 2)
            else:
                assert making.is_whole(found, 1)
                assert making.names(directory) == ["00000001"]
                assert "step 2 could not be written" in sentence
                assert "00000001 is still there" in sentence
        shutil.rmtree(directory / "00000002", ignore_errors=True)
    assert sentence is None
    assert failures >= 25


def test_partial_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: whole_write(handle, data[:1000]))
    making.write(tmp_path / "checkpoints", 1)
    assert making.is_whole(load_newest(tmp_path / "checkpoints")[0], 1)


def test_every_file_and_name_is_synced_before_save_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, int]] = []
    whole_fsync, whole_rename = os.fsync, os.rename

    def fsync(handle: int) -> None:
        whole_fsync(handle)
        events.append(("fsync", os.fstat(handle).st_ino))

    def rename(old: Path, new: Path) -> None:
        whole_rename(old, new)
        events.append(("rename", Path(new).stat().st_ino))

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    directory = tmp_path / "run" / "checkpoints"
    folder = save(directory, making.checkpoint(1))
    renamed = events.index(("rename", folder.stat().st_ino))
    parts = [tmp_path, directory.parent, folder, *folder.iterdir()]
    assert {("fsync", each.stat().st_ino) for each in parts} <= set(events[:renamed])
    assert ("fsync", directory.stat().st_ino) in events[renamed:]


def test_fault_in_the_first_save_leaves_nothing(tmp_path: Path) -> None:
    sentence = save_under(Once(12), errno.ENOSPC, tmp_path / "run" / "checkpoints", 1)
    assert sentence is not None
    assert (
        "No space left on device; there was none before it): free some space there, then resume." in sentence
    )
    assert making.names(tmp_path / "run" / "checkpoints") == []


def test_save_works_after_a_fault(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1)
    assert save_under(Once(8), errno.EIO, tmp_path / "checkpoints", 2)
    making.write(tmp_path / "checkpoints", 2)
    assert making.is_whole(load_newest(tmp_path / "checkpoints")[0], 2)


def test_unwritable_directory_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"could not be written to .* \(File exists; there was none"):
        save(tmp_path / "checkpoints", making.checkpoint(1))


def test_unreadable_checkpoint_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1, 2)
    real_open = os.open

    def broken(path: Path, flags: int) -> int:
        if path.parent.name == "00000002":
            raise failure_of(errno.EIO)
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", broken)
    found, skipped = load_newest(directory)
    assert making.is_whole(found, 1)
    assert [each.reason for each in skipped] == [
        f"{directory}/00000002/manifest.json cannot be read: Input/output error."
    ]


def test_fault_while_a_damaged_checkpoint_is_replaced_keeps_the_older_one(tmp_path: Path) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1, 2)
    at = 0
    while True:
        at += 1
        (directory / "00000002" / "state.json").write_bytes(b"{}")
        should_fail = Once(at)
        save_under(should_fail, errno.EIO, directory, 2)
        if not should_fail.has_failed:
            break
        visible = [name for name in making.names(directory) if not name.startswith(".")]
        assert visible == ["00000001", "00000002"]
        found, skipped = load_newest(directory)
        assert making.is_whole(found, 1 if skipped else 2)
    assert making.is_whole(load_newest(directory)[0], 2)
    assert at > 25
