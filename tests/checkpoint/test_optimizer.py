"""An optimizer that went through a checkpoint goes on as if nothing had happened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim import SGD, Adam, Optimizer

from training.checkpoint.content import Checkpoint, Packed, digest
from training.checkpoint.errors import CheckpointError
from training.checkpoint.optimizer import pack_optimizer, unpack_optimizer
from training.checkpoint.read import load
from training.checkpoint.write import save

Make = Callable[[nn.Module], Optimizer]


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, bias=False), nn.Flatten(), nn.Linear(64, 2))
    return layers.to(memory_format=torch.channels_last)


def adam(**options: Any) -> Make:
    return lambda net: Adam(net.parameters(), lr=1e-2, betas=(0.5, 0.999), weight_decay=1e-4, **options)


def in_two_groups(net: nn.Module) -> Optimizer:
    first, *others = net.parameters()
    return Adam([{"params": [first], "lr": 1e-3, "name": "first"}, {"params": others}], betas=(0.9, 0.99))


def with_a_tensor_for_a_learning_rate(net: nn.Module) -> Optimizer:
    return Adam(net.parameters(), lr=torch.tensor(1e-2), foreach=False)


def momentum(net: nn.Module) -> Optimizer:
    return SGD(net.parameters(), lr=1e-2, momentum=0.9)


MAKES = {
    "plain": adam(),
    "fused": adam(fused=True),
    "foreach": adam(foreach=True),
    "amsgrad": adam(amsgrad=True),
    "two groups": in_two_groups,
    "tensor lr": with_a_tensor_for_a_learning_rate,
    "SGD": momentum,
}


def train(net: nn.Module, optimizer: Optimizer, first: int, last: int) -> None:
    for step in range(first, last):
        picture = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        net(picture.to(memory_format=torch.channels_last)).square().mean().backward()
        optimizer.step()


def through_the_disk(directory: Path, net: nn.Module, packed: Packed) -> Checkpoint:
    tensors = {"networks": net.state_dict(), "optimizers": packed.tensors}
    return load(save(directory, Checkpoint(1, tensors, packed.scalars)))


def content(net: nn.Module, optimizer: Optimizer) -> str:
    packed = pack_optimizer(optimizer)
    return digest(Checkpoint(0, {"networks": net.state_dict(), "optimizers": packed.tensors}, packed.scalars))


@pytest.mark.parametrize("make", MAKES.values(), ids=MAKES.keys())
def test_training_resumes_bit_for_bit(tmp_path: Path, make: Make) -> None:
    straight = network()
    unbroken = make(straight)
    train(straight, unbroken, 0, 5)
    found = through_the_disk(tmp_path / "checkpoints", straight, pack_optimizer(unbroken))
    train(straight, unbroken, 5, 10)

    resumed = network()
    resumed.load_state_dict(found.tensors["networks"])
    again = make(resumed)
    before = digest(found)
    unpack_optimizer(again, Packed(found.tensors["optimizers"], found.scalars))
    train(resumed, again, 5, 10)
    assert content(resumed, again) == content(straight, unbroken)
    assert digest(found) == before  # the checkpoint is not the optimizer's memory


def test_state_dict_is_restored_with_its_types(tmp_path: Path) -> None:
    net = network()
    optimizer = in_two_groups(net)
    train(net, optimizer, 0, 2)
    found = through_the_disk(tmp_path / "checkpoints", net, pack_optimizer(optimizer))
    again = in_two_groups(network())
    unpack_optimizer(again, Packed(found.tensors["optimizers"], found.scalars))
    expected, got = optimizer.state_dict(), again.state_dict()
    assert got["param_groups"] == expected["param_groups"]
    assert got["state"].keys() == expected["state"].keys()
    for index, entry in expected["state"].items():
        assert got["state"][index].keys() == entry.keys()
        assert all(torch.equal(got["state"][index][name], value) for name, value in entry.items())


def test_optimizer_without_steps_can_be_saved(tmp_path: Path) -> None:
    net = network()
    found = through_the_disk(tmp_path / "checkpoints", net, pack_optimizer(adam()(net)))
    again = adam()(net)
    unpack_optimizer(again, Packed(found.tensors["optimizers"], found.scalars))
    assert again.state_dict()["state"] == {}


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (nn.Conv2d(3, 4, 3), "the number of parameters differs"),
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 1, bias=False), nn.Linear(64, 2)),
            r"exp_avg has shape \(4, 4, 3, 3\), expected \(4, 4, 1, 1\)",
        ),
    ],
)
def test_state_of_other_networks_is_refused_with_one_sentence(other: nn.Module, sentence: str) -> None:
    net = network()
    optimizer = adam()(net)
    train(net, optimizer, 0, 1)
    with pytest.raises(CheckpointError, match=f"does not match these networks: {sentence}\\.$"):
        unpack_optimizer(adam()(other), pack_optimizer(optimizer))
