"""Adam in TensorFlow's form, compared with its formula in numpy."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.command import data_set
from tests.training.method_runs import assert_resumes_bit_for_bit
from tests.training.tiny import pictures, tiny_config
from training.checkpoint.optimizer import pack_optimizer, unpack_optimizer
from training.config.run_config import from_mapping, load_preset
from training.methods.adam import TensorFlowAdam, epsilon_at
from training.methods.progress import TYPICAL
from training.methods.ugatit.method import Ugatit

SIZES = (1e-9, 1e-8, 1e-7, 1e-6, 1e-3, 1.0)
"""Gradients around epsilon, where the two forms differ, and ordinary ones."""
RATE = 1e-4


def tensorflow_steps(gradients: list[np.ndarray]) -> np.ndarray:
    """The weights after TensorFlow's Adam, from 0."""
    weights = m = v = np.zeros(len(SIZES))
    for t, gradient in enumerate(gradients, 1):
        m = 0.5 * m + 0.5 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        rate = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.5**t)
        weights = weights - rate * m / (np.sqrt(v) + 1e-8)
    return weights


def torch_steps(kind: type[torch.optim.Adam], gradients: list[np.ndarray], *, fused: bool) -> np.ndarray:
    parameter = torch.nn.Parameter(torch.zeros(len(SIZES), dtype=torch.float64))
    optimizer = kind([parameter], lr=RATE, betas=(0.5, 0.999), fused=fused or None)
    for gradient in gradients:
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
    return parameter.detach().numpy()


def some_gradients(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=len(SIZES)) * SIZES for _ in range(count)]


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("count", [1, 2, 5, 40])
def test_steps_are_those_of_tensorflow(count: int, fused: bool) -> None:
    gradients = some_gradients(count)
    expected = tensorflow_steps(gradients)
    found = torch_steps(TensorFlowAdam, gradients, fused=fused)
    assert np.abs(found - expected).max() < 1e-9 * RATE
    assert np.abs(torch_steps(torch.optim.Adam, gradients, fused=fused) - expected).max() > 0.1 * RATE


def test_epsilon_falls_to_that_of_the_formula() -> None:
    assert epsilon_at(1, 0.999) == pytest.approx(3.16e-7, rel=1e-2)
    assert epsilon_at(100_000, 0.999) == pytest.approx(1e-8)


def test_only_the_preset_of_the_paper_uses_it() -> None:
    kinds = {name: from_mapping(load_preset(name)).ugatit.adam for name in ("paper", "light", "cpu-demo")}
    assert kinds == {"paper": "tensorflow", "light": "pytorch", "cpu-demo": "pytorch"}
    assert type(Ugatit(tiny_config().ugatit).optimizers["generators"]) is torch.optim.Adam


def test_restored_optimizer_continues_bit_for_bit() -> None:
    torch.manual_seed(0)
    method = Ugatit(tiny_config(ugatit={"adam": "tensorflow"}).ugatit)
    for step in (1, 2):
        method.step(pictures(seed=step), TYPICAL)
    other = Ugatit(tiny_config(ugatit={"adam": "tensorflow"}).ugatit)
    for name, network in method.networks.items():
        other.networks[name].load_state_dict(copy.deepcopy(network.state_dict()))
    for name, optimizer in method.optimizers.items():
        unpack_optimizer(other.optimizers[name], pack_optimizer(optimizer))
    for each in (method, other):
        each.step(pictures(seed=3), TYPICAL)
    for name, network in method.networks.items():
        for key, value in network.state_dict().items():
            assert torch.equal(value, other.networks[name].state_dict()[key]), (name, key)


def test_a_run_of_the_preset_paper_resumes_bit_for_bit(tmp_path: Path) -> None:
    depths = (("global", 4), ("local", 3))
    layers = (f"--set=ugatit.{scale}_discriminator.layers={count}" for scale, count in depths)
    small = ("--set=ugatit.generator.blocks=1", *layers)
    assert_resumes_bit_for_bit("ugatit", data_set(tmp_path / "data"), tmp_path, "--preset=paper", *small)
