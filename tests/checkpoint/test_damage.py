"""Whatever happened to a checkpoint's bytes, it is refused, and the one before it is used."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.checkpoint import making
from training.checkpoint.errors import CheckpointError
from training.checkpoint.manifest import MANIFEST, FileEntry, Manifest, parse_manifest
from training.checkpoint.read import load, load_newest

TENSORS = "networks.safetensors"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoints of the steps 1 and 2; a test damages the second and mends it again."""
    directory = tmp_path_factory.mktemp("run") / "checkpoints"
    making.write(directory, 1, 2)
    return directory


def assert_the_first_is_used(directory: Path, file: Path) -> None:
    found, skipped = load_newest(directory)
    assert making.is_whole(found, 1)
    assert [each.path for each in skipped] == [file.parent]
    reason = skipped[0].reason
    assert str(file.parent) in reason
    assert reason.endswith(".")
    assert "\n" not in reason


def test_a_hundred_flipped_bits_are_each_refused_and_the_one_before_is_used(run: Path) -> None:
    files, dice = sorted((run / "00000002").iterdir()), random.Random(0)
    for turn in range(100):
        file = files[turn % len(files)]
        whole = file.read_bytes()
        data = bytearray(whole)
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        file.write_bytes(data)
        assert_the_first_is_used(run, file)
        file.write_bytes(whole)
    assert making.is_whole(load_newest(run)[0], 2)


def test_a_hundred_truncations_are_each_refused_and_the_one_before_is_used(run: Path) -> None:
    files, dice = sorted((run / "00000002").iterdir()), random.Random(0)
    for turn in range(100):
        file = files[turn % len(files)]
        whole = file.read_bytes()
        file.write_bytes(whole[: dice.randrange(len(whole))])
        assert_the_first_is_used(run, file)
        file.write_bytes(whole)
    assert making.is_whole(load_newest(run)[0], 2)


def test_every_bit_of_the_manifest_counts(run: Path) -> None:
    whole = (run / "00000002" / MANIFEST).read_bytes()
    for at in range(len(whole) * 8):
        data = bytearray(whole)
        data[at // 8] ^= 1 << at % 8
        with pytest.raises(CheckpointError):
            parse_manifest(bytes(data))
    parse_manifest(whole)


def lose(path: Path) -> None:
    (path / TENSORS).unlink()


def lose_the_manifest(path: Path) -> None:
    (path / MANIFEST).unlink()


def add_a_stranger(path: Path) -> None:
    (path / "networks.pt").write_bytes(pickle.dumps({}))


def add_a_hidden_stranger(path: Path) -> None:
    (path / ".hidden").write_bytes(b"")


def add_a_folder(path: Path) -> None:
    (path / "more").mkdir()


def append(path: Path) -> None:
    with (path / TENSORS).open("ab") as file:
        file.write(b"\0")


def link_a_file(path: Path) -> None:
    target = path.parent.parent / "elsewhere"
    (path / TENSORS).rename(target)
    (path / TENSORS).symlink_to(target)


def link_the_folder(path: Path) -> None:
    path.rename(path.parent.parent / "moved")
    path.symlink_to(path.parent.parent / "moved")


def put_a_file_in_its_place(path: Path) -> None:
    shutil.rmtree(path)
    path.write_bytes(b"")


def put_a_pipe(path: Path) -> None:
    (path / TENSORS).unlink()
    os.mkfifo(path / TENSORS)


def take_a_file_of_the_other(path: Path) -> None:
    shutil.copy(path.with_name("00000001") / TENSORS, path / TENSORS)


def take_the_other_whole(path: Path) -> None:
    shutil.rmtree(path)
    shutil.copytree(path.with_name("00000001"), path)


def ask_for_another_format(path: Path) -> None:
    (path / MANIFEST).write_bytes(Manifest(format=2, step=2, score=None, files={}).to_bytes())


def say_nothing(path: Path) -> None:
    (path / MANIFEST).write_text("[]")


TAMPERINGS = [
    lose,
    lose_the_manifest,
    add_a_stranger,
    add_a_hidden_stranger,
    add_a_folder,
    append,
    link_a_file,
    link_the_folder,
    put_a_file_in_its_place,
    put_a_pipe,
    take_a_file_of_the_other,
    take_the_other_whole,
    ask_for_another_format,
    say_nothing,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_every_tampering_is_refused_in_a_sentence(tmp_path: Path, tamper: Callable[[Path], None]) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    tamper(tmp_path / "checkpoints" / "00000002")
    assert_the_first_is_used(tmp_path / "checkpoints", tmp_path / "checkpoints" / "00000002" / TENSORS)


def test_a_checkpoint_of_a_later_version_is_told_from_a_damaged_one(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 2)
    ask_for_another_format(tmp_path / "checkpoints" / "00000002")
    with pytest.raises(CheckpointError, match=r"its format is 2 and this version reads 1\.$"):
        load(tmp_path / "checkpoints" / "00000002")


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str, str], object], tuple[str, str]]:
        return open, (str(self.path), "w")


def vouch_for(path: Path, name: str, data: bytes) -> None:
    """Put a file into a checkpoint with a manifest that says it belongs there."""
    (path / name).write_bytes(data)
    manifest = parse_manifest((path / MANIFEST).read_bytes())
    entry = FileEntry(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
    changed = manifest.model_copy(update={"files": {**manifest.files, name: entry}})
    (path / MANIFEST).write_bytes(changed.to_bytes())


def test_a_pickle_is_never_opened_even_if_the_manifest_vouches_for_it(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    trap = pickle.dumps(Trap(tmp_path / "sprung"))
    vouch_for(tmp_path / "checkpoints" / "00000002", TENSORS, trap)
    assert_the_first_is_used(tmp_path / "checkpoints", tmp_path / "checkpoints" / "00000002" / TENSORS)
    vouch_for(tmp_path / "checkpoints" / "00000001", "networks.pt", trap)
    with pytest.raises(CheckpointError):
        load_newest(tmp_path / "checkpoints")
    assert not (tmp_path / "sprung").exists()


def test_scalars_that_are_no_json_are_a_sentence_even_if_the_manifest_vouches_for_them(
    tmp_path: Path,
) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    vouch_for(tmp_path / "checkpoints" / "00000002", "state.json", b"\xff{")
    assert_the_first_is_used(tmp_path / "checkpoints", tmp_path / "checkpoints" / "00000002" / TENSORS)


def test_a_checkpoint_may_be_copied_under_a_name_of_one_s_own(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 2)
    assert making.is_whole(load(shutil.copytree(tmp_path / "checkpoints" / "00000002", tmp_path / "mine")), 2)


def test_no_checkpoint_at_all_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"^There is no checkpoint in .*none\.$"):
        load_newest(tmp_path / "none")
    with pytest.raises(CheckpointError, match="cannot be read as a checkpoint: No such file"):
        load(tmp_path / "none")


def test_if_none_can_be_used_every_reason_is_told(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    lose(tmp_path / "checkpoints" / "00000001")
    append(tmp_path / "checkpoints" / "00000002")
    with pytest.raises(CheckpointError, match=r"00000002.*is damaged.*; .*00000001 lacks networks"):
        load_newest(tmp_path / "checkpoints")


def test_the_manifest_is_json_that_others_can_read(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 2, scores={2: 0.25})
    facts = json.loads((tmp_path / "checkpoints" / "00000002" / MANIFEST).read_text())
    assert (facts["format"], facts["step"], facts["score"]) == (1, 2, 0.25)
    data = (tmp_path / "checkpoints" / "00000002" / TENSORS).read_bytes()
    assert facts["files"][TENSORS] == {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
