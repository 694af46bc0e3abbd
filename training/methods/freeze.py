"""Freeze networks for a while: their parameters, or the power iteration of their spectral norm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen_parameters(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Compute no gradients of the parameters; gradients still flow through the networks to their inputs."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


@contextmanager
def frozen_spectral_norm(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Run networks without advancing the power iteration of their spectral norm.

    In training mode every forward pass advances it, so the number of passes would change the weights.
    """
    modes = [(network, network.training) for network in networks]
    for network, _ in modes:
        network.eval()
    try:
        yield
    finally:
        for network, mode in modes:
            network.train(mode)
