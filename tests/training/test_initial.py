"""Warm starts from a run of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.networks.config import ConfigError
from tests.training.small import SIZE, small
from training.checkpoint.content import Checkpoint, join_groups
from training.checkpoint.errors import CheckpointError
from training.checkpoint.write import save
from training.methods.ugatit.kind import UGATIT
from training.methods.ugatit.method import Ugatit
from training.run.initial_weights import read_initial


def saved(run: Path, step: int, method: Ugatit, *, average: Ugatit | None = None) -> Path:
    tensors = {"networks": join_groups({name: net.state_dict() for name, net in method.networks.items()})}
    if average is not None:
        tensors["average"] = join_groups({n: net.state_dict() for n, net in average.generators.items()})
    return save(run / "checkpoints", Checkpoint(step, tensors, {}))


def is_like(weights: dict[str, torch.Tensor], network: torch.nn.Module) -> bool:
    wanted = network.state_dict()
    return weights.keys() == wanted.keys() and all(
        torch.equal(weights[name], wanted[name]) for name in weights
    )


def test_a_run_is_started_from_its_newest_good_checkpoint(tmp_path: Path) -> None:
    old, new, broken = (small(seed=seed) for seed in (1, 2, 3))
    saved(tmp_path, 1, old)
    saved(tmp_path, 2, new)
    (saved(tmp_path, 3, broken) / "networks.safetensors").write_bytes(b"torn")
    found = read_initial(UGATIT, tmp_path, small().networks, size=SIZE)
    assert found.keys() == new.networks.keys()
    assert all(is_like(weights, new.networks[name]) for name, weights in found.items())


def test_one_checkpoint_of_a_run_can_be_named(tmp_path: Path) -> None:
    old = small(seed=1)
    folder = saved(tmp_path, 1, old)
    saved(tmp_path, 2, small(seed=2))
    found = read_initial(UGATIT, folder, small().networks, size=SIZE)
    assert is_like(found["genA2B"], old.generators["genA2B"])


def test_averaged_generators_are_taken_where_they_are_kept(tmp_path: Path) -> None:
    raw, average = small(seed=1), small(seed=2)
    saved(tmp_path, 1, raw, average=average)
    found = read_initial(UGATIT, tmp_path, small().networks, size=SIZE)
    assert is_like(found["genB2A"], average.generators["genB2A"])
    assert is_like(found["disGA"], raw.discriminators["disGA"])


def test_a_mismatch_names_the_first_difference(tmp_path: Path) -> None:
    saved(tmp_path, 1, small(channels=8))
    with pytest.raises(ConfigError, match=r"expected features\.1\.bias of disGA to be 4, got 8"):
        read_initial(UGATIT, tmp_path, small().networks, size=SIZE)


def test_an_unknown_network_is_refused_by_name(tmp_path: Path) -> None:
    saved(tmp_path, 1, small())
    networks = {name: each for name, each in small().networks.items() if name != "disLB"}
    with pytest.raises(ConfigError, match="contains the network disLB, which this run lacks; choose another"):
        read_initial(UGATIT, tmp_path, networks, size=SIZE)


@pytest.mark.parametrize("kind", ["empty folder", "no checkpoint yet"])
def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path, kind: str) -> None:
    if kind == "no checkpoint yet":
        (tmp_path / "checkpoints").mkdir()
    with pytest.raises(CheckpointError, match=str(tmp_path)):
        read_initial(UGATIT, tmp_path, small().networks, size=SIZE)
