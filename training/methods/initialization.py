"""Initial weights, and which of them decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

import torch
from torch import nn

from models.networks.cam import raw_weight

Initialization = Literal["framework", "normal"]
"""How weights are drawn: as torch does, or from N(0, 0.02)."""
DecayedWeights = Literal["all", "kernels"]
"""The weights that decay."""

STANDARD_DEVIATION: Final = 0.02
POWER_ITERATIONS: Final = 15
"""As many as torch runs when it creates a spectral norm."""


@torch.no_grad()
def initialize(networks: Iterable[nn.Module], method: Initialization) -> None:
    """Draw the weights of convolutions and fully connected layers from N(0, 0.02); biases become 0.

    With the method `framework` nothing changes: torch has already drawn the weights.
    """
    if method == "framework":
        return
    for layer in _layers_with_kernels(networks):
        nn.init.normal_(raw_weight(layer), 0, STANDARD_DEVIATION)
        if isinstance(layer.bias, nn.Parameter):
            nn.init.zeros_(layer.bias)
        if raw_weight(layer) is not layer.weight:
            _update_singular_vectors(layer)


@torch.no_grad()
def initialize_kaiming(networks: Iterable[nn.Module]) -> None:
    """Draw the weights of convolutions and fully connected layers by fan-in; biases become 0.

    He et al. (ICCV 2015): N(0, 2 / inputs of an output).
    """
    for layer in _layers_with_kernels(networks):
        assert isinstance(layer.weight, nn.Parameter)
        nn.init.kaiming_normal_(layer.weight)
        if isinstance(layer.bias, nn.Parameter):
            nn.init.zeros_(layer.bias)


def _update_singular_vectors(layer: nn.Module) -> None:
    """Fit the singular vectors of a spectral norm to the new weights: each read of `weight` iterates once."""
    for _ in range(POWER_ITERATIONS):
        _ = layer.weight


def parameter_groups(networks: Iterable[nn.Module], decayed: DecayedWeights) -> list[dict[str, Any]]:
    """Return an optimizer's parameter groups: one, or the kernels and a second group without weight decay."""
    networks = list(networks)
    parameters = [parameter for network in networks for parameter in network.parameters()]
    if decayed == "all":
        return [{"params": parameters}]
    kernels = {id(raw_weight(layer)) for layer in _layers_with_kernels(networks)}
    return [
        {"params": [parameter for parameter in parameters if id(parameter) in kernels]},
        {
            "params": [parameter for parameter in parameters if id(parameter) not in kernels],
            "weight_decay": 0.0,
        },
    ]


def _layers_with_kernels(networks: Iterable[nn.Module]) -> list[nn.Module]:
    return [
        module
        for network in networks
        for module in network.modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)
    ]
