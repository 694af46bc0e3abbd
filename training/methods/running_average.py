"""The running average of weights, which is steadier than the weights at any one step."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class RunningAverage:
    """Copies of some networks whose values are exponential running averages of the originals' values."""

    def __init__(self, networks: Mapping[str, nn.Module], names: Sequence[str], *, decay: float) -> None:
        """
        Args:
            networks: the originals by name.
            names: the names of the networks to average.
            decay: the weight of the old average at each step, at least 0 and below 1.
        """
        self.decay = decay
        self.networks = {
            name: copy.deepcopy(networks[name]).eval().requires_grad_(requires_grad=False) for name in names
        }
        self._originals = {name: networks[name] for name in names}

    @torch.no_grad()
    def update(self) -> None:
        """Update the averages after a step."""
        averages, originals = [], []
        for name, network in self.networks.items():
            averages += _values(network)
            originals += _values(self._originals[name])
        torch._foreach_lerp_(averages, originals, 1 - self.decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Give the originals the averaged weights until the end of the block, to draw samples and a score."""
        own = {name: copy.deepcopy(network.state_dict()) for name, network in self._originals.items()}
        for name, network in self._originals.items():
            network.load_state_dict(self.networks[name].state_dict())
        try:
            yield
        finally:
            for name, network in self._originals.items():
                network.load_state_dict(own[name])


def _values(network: nn.Module) -> list[Tensor]:
    return [value for value in network.state_dict().values() if value.is_floating_point()]
