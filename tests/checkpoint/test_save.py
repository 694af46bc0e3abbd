"""The files after a save, and what is read back."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from tests.checkpoint import making
from training.checkpoint.content import Checkpoint, digest, join_groups, split_group
from training.checkpoint.errors import CheckpointError
from training.checkpoint.read import load, load_newest
from training.checkpoint.write import save

KINDS = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
]


def of_every_kind() -> dict[str, torch.Tensor]:
    tensors = {str(kind): torch.arange(6).reshape(2, 3).to(kind) for kind in KINDS}
    odd = torch.tensor([math.nan, -math.nan, math.inf, -0.0, 1e-45])
    wide = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    return {**tensors, "odd": odd, "scalar": torch.tensor(3.0), "empty": torch.empty(0, 3), "wide": wide}


def test_checkpoint_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    tensors = of_every_kind()
    written = Checkpoint(7, {"networks": tensors, "nothing": {}}, {"third": 1 / 3, "list": [1, None, "é"]})
    found = load(save(tmp_path / "checkpoints", written))
    assert digest(found) == digest(written)
    assert (found.step, found.scalars) == (written.step, written.scalars)
    assert found.tensors.keys() == written.tensors.keys()
    for name, tensor in tensors.items():
        back = found.tensors["networks"][name]
        assert (back.dtype, back.shape) == (tensor.dtype, tensor.shape)
        assert torch.equal(back.contiguous().view(-1).view(torch.uint8), tensor.reshape(-1).view(torch.uint8))


def test_safetensors_library_reads_the_tensor_files(tmp_path: Path) -> None:
    tensors = of_every_kind()
    path = save(tmp_path / "checkpoints", Checkpoint(7, {"networks": tensors}, {})) / "networks.safetensors"
    with safe_open(path, "pt") as file:
        assert set(file.keys()) == tensors.keys()
        assert file.metadata() is None
        assert file.get_tensor("wide").equal(tensors["wide"])
        assert file.get_tensor("torch.bool").equal(tensors["torch.bool"])


def test_equal_states_give_equal_bytes(tmp_path: Path) -> None:
    making.write(tmp_path / "a" / "checkpoints", 3)
    making.write(tmp_path / "another" / "checkpoints", 3)
    one, other = (tmp_path / run / "checkpoints" / "00000003" for run in ("a", "another"))
    assert making.names(one) == making.names(other)
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in making.names(one))


def test_digest_differs_for_every_difference() -> None:
    state = making.checkpoint(3)
    first, second = state.tensors["networks"]["genA2B/encoder.weight"].clone(), state.tensors["random"]
    first.view(torch.int32)[0, 0] ^= 1
    changed = {
        "a bit": {**state.tensors, "networks": {**state.tensors["networks"], "genA2B/encoder.weight": first}},
        "a name": {**state.tensors, "random": {"numpy": second["torch"]}},
        "a group": {name: each for name, each in state.tensors.items() if name != "random"},
    }
    others = [state._replace(tensors=tensors) for tensors in changed.values()]
    others += [state._replace(step=4), state._replace(scalars={**state.scalars, "third": 1.0000000000000002})]
    assert digest(state) == digest(making.checkpoint(3))
    assert len({digest(each) for each in [state, *others]}) == 6


def test_directory_has_step_folders_and_latest_json_names_the_latest_and_the_best(
    tmp_path: Path,
) -> None:
    directory = tmp_path / "run" / "checkpoints"
    making.write(directory, 10, 99_999_999, 100_000_000, scores={10: 0.5, 99_999_999: 0.75})
    assert making.names(directory) == ["00000010", "100000000", "99999999"]
    assert making.names(directory.parent) == ["checkpoints", "latest.json"]
    assert json.loads((directory.parent / "latest.json").read_text()) == {
        "latest": {"path": "checkpoints/100000000", "step": 100_000_000, "score": None},
        "best": {"path": "checkpoints/00000010", "step": 10, "score": 0.5},
    }
    assert load_newest(directory)[0].step == 100_000_000


def test_score_that_is_not_finite_is_not_recorded(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1, 2, scores={1: math.nan, 2: -math.inf})
    assert json.loads((tmp_path / "latest.json").read_text())["best"] is None
    assert load_newest(tmp_path / "checkpoints")[0].step == 2


@pytest.mark.parametrize("lie", ["", "{", '{"latest": {"path": "checkpoints/00000009", "step": 9}}'])
def test_reading_ignores_latest_json(tmp_path: Path, lie: str) -> None:
    making.write(tmp_path / "checkpoints", 1, 2)
    (tmp_path / "latest.json").write_text(lie)
    assert making.is_whole(load_newest(tmp_path / "checkpoints")[0], 2)


def test_saving_the_same_state_twice_writes_once(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1)
    before = (tmp_path / "checkpoints" / "00000001" / "manifest.json").stat()
    making.write(tmp_path / "checkpoints", 1)
    assert (tmp_path / "checkpoints" / "00000001" / "manifest.json").stat().st_ino == before.st_ino


def test_another_state_of_the_same_step_does_not_replace_a_good_one(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1)
    with pytest.raises(CheckpointError, match="holds another state of step 1; move it away"):
        save(tmp_path / "checkpoints", making.checkpoint(2)._replace(step=1))
    assert making.is_whole(load_newest(tmp_path / "checkpoints")[0], 1)
    assert making.names(tmp_path / "checkpoints") == ["00000001"]


def test_damaged_checkpoint_is_replaced_by_the_same_step(tmp_path: Path) -> None:
    making.write(tmp_path / "checkpoints", 1)
    (tmp_path / "checkpoints" / "00000001" / "state.json").write_text("{}")
    making.write(tmp_path / "checkpoints", 1)
    assert making.is_whole(load_newest(tmp_path / "checkpoints")[0], 1)
    assert making.names(tmp_path / "checkpoints") == ["00000001"]


def test_next_save_deletes_only_what_a_killed_process_left(tmp_path: Path) -> None:
    directory = tmp_path / "checkpoints"
    making.write(directory, 1)
    for name in (".00000002.new", ".00000000.gone", "notes", ".cache"):
        (directory / name).mkdir()
        (directory / name / "file").write_bytes(b"half")
    (tmp_path / ".latest.json.new").write_bytes(b"half")
    making.write(directory, 2)
    assert making.names(directory) == [".cache", "00000001", "00000002", "notes"]
    assert making.names(tmp_path) == ["checkpoints", "latest.json"]


def test_scalar_that_is_not_finite_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        save(tmp_path / "checkpoints", Checkpoint(1, {}, {"loss": math.nan}))
    assert making.names(tmp_path / "checkpoints") == []


@pytest.mark.parametrize("scalars", [{"betas": (0.5, 0.999)}, {"state": {0: 1}}])
def test_scalars_that_json_would_change_fail_an_assertion(tmp_path: Path, scalars) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(AssertionError, match="not plain JSON"):
        save(tmp_path / "checkpoints", Checkpoint(1, {}, scalars))


def test_group_of_several_objects_can_be_split_again() -> None:
    parts = {"gen": {"a.b": torch.zeros(1), "c": torch.ones(1)}, "generator": {"a.b": torch.zeros(2)}}
    group = join_groups(parts)
    assert {part: split_group(group, part) for part in parts} == parts
    assert split_group(group, "none") == {}
