"""Networks that do not learn for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def frozen(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Keep gradients from parameters that are not to learn: they flow through, and nothing is stored."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    for parameter in parameters:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in parameters:
            parameter.requires_grad_(True)


@contextmanager
def standing_still(networks: Iterable[nn.Module]) -> Iterator[None]:
    """Let networks judge without moving the power iteration of their spectral norm."""
    modes = [(network, network.training) for network in networks]
    for network, _ in modes:
        network.eval()
    try:
        yield
    finally:
        for network, mode in modes:
            network.train(mode)
