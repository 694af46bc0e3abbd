"""What learning starts from: weights as they are first drawn, and which of them decay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import torch
from torch import nn

from models.networks.cam import raw_weight
from training.methods.ugatit.config import DecayedWeights, Initialization

DEVIATION: Final = 0.02
POWER_ITERATIONS: Final = 15
"""With which torch begins a spectral normalisation."""


@torch.no_grad()
def initialize(networks: Iterable[nn.Module], how: Initialization) -> None:
    """Draw the weights of convolutions and fully connected layers anew, unless torch's own are wanted."""
    if how == "framework":
        return
    for layer in _layers_with_kernels(networks):
        nn.init.normal_(raw_weight(layer), 0, DEVIATION)
        if isinstance(layer.bias, nn.Parameter):
            nn.init.zeros_(layer.bias)
        if raw_weight(layer) is not layer.weight:
            _settle_spectral_norm(layer)


def _settle_spectral_norm(layer: nn.Module) -> None:
    """Let the singular vectors, which are those of the weights before, follow: each reading moves them."""
    for _ in range(POWER_ITERATIONS):
        _ = layer.weight


def parameter_groups(networks: Iterable[nn.Module], decayed: DecayedWeights) -> list[dict[str, Any]]:
    """The parameters for an optimizer: one group, or the kernels and then the rest, which does not decay."""
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
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
