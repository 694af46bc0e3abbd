"""What can be read off networks and optimizers between two steps."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


@torch.no_grad()
def gradient_norms(networks: Mapping[str, nn.Module]) -> dict[str, float]:
    """The Euclidean norm of each network's gradients at its last update; those without any are left out.

    Gradients stay where they are after an optimizer's step until the next one clears them.
    """
    norms = {}
    for name, network in networks.items():
        gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
        if gradients:
            norms[name] = float(torch.stack(torch._foreach_norm(gradients)).norm())
    return norms


def learning_rates(optimizers: Mapping[str, Optimizer]) -> dict[str, float]:
    """The learning rate of each optimizer's first group of parameters."""
    return {name: float(optimizer.param_groups[0]["lr"]) for name, optimizer in optimizers.items()}


def summaries(distributions: Mapping[str, Tensor]) -> dict[str, dict[str, float]]:
    """Mean, least and largest of each distribution, to four digits."""
    return {name: _summary(values.detach().float()) for name, values in distributions.items()}


def _summary(values: Tensor) -> dict[str, float]:
    low, high = torch.aminmax(values)
    numbers = torch.stack([values.mean(), low, high]).tolist()
    return {name: float(f"{each:.4g}") for name, each in zip(("mean", "min", "max"), numbers, strict=True)}
