"""The golden vectors of the other methods, and how closely we must agree with them.

A set is a folder below `baselines/`. Its config.json says which method and mode it is of, so a set may have
any name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tests.golden.reading import ROOT, relative, sets_below

COUNTS = "parameter_count"
"""The section of losses.json that counts parameters."""


@dataclass(frozen=True)
class GoldenSet:
    """One folder of golden vectors."""

    path: Path

    @cached_property
    def config(self) -> dict[str, Any]:
        """All sizes and choices."""
        return dict(json.loads((self.path / "config.json").read_text()))

    @cached_property
    def losses(self) -> dict[str, dict[str, float]]:
        """Terms by section."""
        return dict(json.loads((self.path / "losses.json").read_text()))

    @cached_property
    def vectors(self) -> dict[str, NDArray[Any]]:
        """Inputs, outputs and draws."""
        with np.load(self.path / "vectors.npz") as arrays:
            return {name: arrays[name] for name in arrays.files}

    @property
    def params(self) -> dict[str, Any]:
        """The official weights, read anew."""
        return dict(torch.load(self.path / "params.pt", weights_only=True))

    def tensor(self, name: str) -> Tensor:
        """An array of the vectors as a float32 tensor."""
        return torch.from_numpy(self.vectors[name].astype(np.float32))

    @property
    def vector_tolerance(self) -> float:
        """Relative, of images, codes, logits and masks."""
        return 3e-4 if self.config["method"] == "aggan" else 2e-4

    def assert_vector(self, found: Tensor, name: str) -> None:
        """Fail unless an output agrees with the golden one."""
        expected = self.vectors[name]
        assert tuple(found.shape) == expected.shape, name
        assert relative(found.detach(), expected) < self.vector_tolerance, name

    def assert_counts(self, networks: Mapping[str, nn.Module]) -> None:
        """Fail unless each network has as many parameters as the official one."""
        found = {name: parameter_count(network) for name, network in networks.items()}
        assert found == self.losses[COUNTS]

    def assert_section(self, section: str, found: Mapping[str, Tensor | float]) -> None:
        """Fail unless exactly the section's values are there, and each agrees."""
        expected = self.losses[section]
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            tolerance = scalar_tolerance(section, name)
            number = float(torch.as_tensor(found[name]).detach())
            assert number == pytest.approx(value, rel=tolerance), f"{section}: {name}"


def scalar_tolerance(section: str, name: str) -> float:
    """Return how closely a value of losses.json must agree, relatively; Adam's first step widens it."""
    if section.startswith("after_step2"):
        return 1e-2
    if section.startswith("step2"):
        return 5e-2 if "grad_norm" in name else 1e-3
    return 5e-3 if "grad_norm" in name else 2e-5


def golden_sets(method: str) -> list[Any]:
    """Return every set of a method as a pytest parameter, named as its folder."""
    folders = [ROOT / "baselines" / name for name in sets_below(ROOT / "baselines")]
    sets = [GoldenSet(folder) for folder in folders]
    return [pytest.param(each, id=each.path.name) for each in sets if each.config["method"] == method]


def golden_sections(method: str) -> list[Any]:
    """Return every set of a method with each section of its losses, but not the counts, as parameters."""
    return [
        pytest.param(golden, section, id=f"{golden.path.name}-{section}")
        for (golden,) in (param.values for param in golden_sets(method))
        for section in golden.losses
        if section != COUNTS
    ]


def parameter_count(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def weight_change(network: nn.Module, before: Mapping[str, Tensor]) -> float:
    """Return the L2 norm of the change of a network's convolution and linear weights since `before`."""
    kernels = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
    changes = [
        (module.weight.detach() - before[f"{name}.weight"]).double().flatten()
        for name, module in network.named_modules()
        if isinstance(module, kernels)
    ]
    return float(torch.linalg.vector_norm(torch.cat(changes)))


def gradient_norm(network: nn.Module) -> float:
    """Return the L2 norm of the gradients of all parameters of a network."""
    gradients = [each.grad.double().flatten() for each in network.parameters() if each.grad is not None]
    return float(torch.linalg.vector_norm(torch.cat(gradients)))
