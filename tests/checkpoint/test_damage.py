"""A damaged checkpoint is refused, and the one before it is used."""

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
    """Checkpoints of the steps 1 and 2; a test damages the second and repairs it."""
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


def test_hundred_flipped_bits_are_each_found_and_the_older_checkpoint_is_used(run: Path) -> None:
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


def test_hundred_truncations_are_each_found_and_the_older_checkpoint_is_used(run: Path) -> None:
    files, dice = sorted((run / "00000002").iterdir()), random.Random(0)
    for turn in range(100):
        file = files[turn % len(files)]
        whole = file.read_bytes()
        file.write_bytes(whole[: dice.randrange(len(whole))])
        assert_the_first_is_used(run, file)
        file.write_bytes(whole)
    assert making.is_whole(load_newest(run)[0], 2)


def test_every_flipped_bit_of_the_manifest_is_found(run: Path) -> None:
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


def add_an_unlisted_file(path: Path) -> None:
    (path / "networks.pt").write_bytes(pickle.dumps({}))


def add_a_hidden_unlisted_file(path: Path) -> None:
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


def copy_a_file_of_the_other(path: Path) -> None:
    shutil.copy(path.with_name("00000001") / TENSORS, path / TENSORS)


def copy_the_other(path: Path) -> None:
    shutil.rmtree(path)
    shutil.copytree(path.with_name("00000001"), path)


def set_another_format(path: Path) -> None:
    (path / MANIFEST).write_bytes(Manifest(format=2, step=2, score=None, files={}).to_bytes())


def empty_the_manifest(path: Path) -> None:
    (path / MANIFEST).write_text("[]")


TAMPERINGS = [
    lose,
    lose_the_manifest,
    add_an_unlisted_file,
    add_a_hidden_unlisted_file,
    add_a_folder,
    append,
    link_a_file,
    link_the_folder,
    put_a_file_in_its_place,
    put_a_pipe,
    copy_a_file_of_the_other,
    copy_the_other,
    set_another_format,
    empty_the_manifest,
]


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda tamper: tamper.__name__)
def test_every_tampering_is_refused_with_one_sentence(tmp_path: Path, tamper: Callable[[Path], None]) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    tamper(tmp_path / "checkpoints" / "00000002")
    assert_the_first_is_used(tmp_path / "checkpoints", tmp_path / "checkpoints" / "00000002" / TENSORS)


def test_later_format_is_not_reported_as_damage(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 2)
    set_another_format(tmp_path / "checkpoints" / "00000002")
    with pytest.raises(CheckpointError, match=r"its format is 2 and this version reads 1\.$"):
        load(tmp_path / "checkpoints" / "00000002")


class Trap:
    """An object that makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str, str], object], tuple[str, str]]:
        return open, (str(self.path), "w")


def add_with_entry(path: Path, name: str, data: bytes) -> None:
    """Add a file to a checkpoint and to its manifest."""
    (path / name).write_bytes(data)
    manifest = parse_manifest((path / MANIFEST).read_bytes())
    entry = FileEntry(sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
    changed = manifest.model_copy(update={"files": {**manifest.files, name: entry}})
    (path / MANIFEST).write_bytes(changed.to_bytes())


def test_pickle_is_never_opened_even_if_the_manifest_lists_it(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    trap = pickle.dumps(Trap(tmp_path / "sprung"))
    add_with_entry(tmp_path / "checkpoints" / "00000002", TENSORS, trap)
    assert_the_first_is_used(tmp_path / "checkpoints", tmp_path / "checkpoints" / "00000002" / TENSORS)
    add_with_entry(tmp_path / "checkpoints" / "00000001", "networks.pt", trap)
    with pytest.raises(CheckpointError):
        load_newest(tmp_path / "checkpoints")
    assert not (tmp_path / "sprung").exists()


def test_invalid_scalars_are_refused_even_if_the_manifest_lists_them(
    tmp_path: Path,
) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    add_with_entry(tmp_path / "checkpoints" / "00000002", "state.json", b"\xff{")
    assert_the_first_is_used(tmp_path / "checkpoints", tmp_path / "checkpoints" / "00000002" / TENSORS)


def test_checkpoint_can_be_copied_under_another_name(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 2)
    assert making.is_whole(load(shutil.copytree(tmp_path / "checkpoints" / "00000002", tmp_path / "mine")), 2)


def test_no_checkpoint_is_reported_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"^There is no checkpoint in .*none\.$"):
        load_newest(tmp_path / "none")
    with pytest.raises(CheckpointError, match="cannot be read as a checkpoint: No such file"):
        load(tmp_path / "none")


def test_if_no_checkpoint_can_be_used_every_reason_is_reported(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    lose(tmp_path / "checkpoints" / "00000001")
    append(tmp_path / "checkpoints" / "00000002")
    with pytest.raises(CheckpointError, match=r"00000002.*is damaged.*; .*00000001 lacks networks"):
        load_newest(tmp_path / "checkpoints")


def test_manifest_is_plain_json(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 2, scores={2: 0.25})
    facts = json.loads((tmp_path / "checkpoints" / "00000002" / MANIFEST).read_text())
    assert (facts["format"], facts["step"], facts["score"]) == (1, 2, 0.25)
    data = (tmp_path / "checkpoints" / "00000002" / TENSORS).read_bytes()
    assert facts["files"][TENSORS] == {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}
