"""Read numbers from networks and optimizers between two steps."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


@torch.no_grad()
def gradient_norms(networks: Mapping[str, nn.Module]) -> dict[str, float]:
    """Return the Euclidean norm of each network's gradients; networks without gradients are left out.

    The gradients are those of the last update: the next step clears them.
    """
    norms = {}
    for name, network in networks.items():
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        if gradients:
            norms[name] = float(torch.stack(torch._foreach_norm(gradients)).norm())
    return norms


def learning_rates(optimizers: Mapping[str, Optimizer]) -> dict[str, float]:
    """Return the learning rate of each optimizer's first parameter group."""
    return {name: float(optimizer.param_groups[0]["lr"]) for name, optimizer in optimizers.items()}


def summaries(distributions: Mapping[str, Tensor]) -> dict[str, dict[str, float]]:
    """Return the mean, minimum and maximum of each distribution, rounded to four digits."""
    return {name: _summary(values.detach().float()) for name, values in distributions.items()}


def _summary(values: Tensor) -> dict[str, float]:
    low, high = torch.aminmax(values)
    numbers = torch.stack([values.mean(), low, high]).tolist()
    return {name: float(f"{each:.4g}") for name, each in zip(("mean", "min", "max"), numbers, strict=True)}
