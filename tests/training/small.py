"""A method in float64, small enough to train within a test.

Adam's first steps are the sign of the gradient. In float32, rounding decides the sign of a gradient near 0.
In float64 such a gradient is far below Adam's epsilon, so updates that are equal up to rounding stay equal.
"""

from __future__ import annotations

import torch
from torch import Tensor

from models.networks.config import DiscriminatorConfig, GeneratorConfig
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.method import Ugatit
from training.parallel.processes import Processes

SIZE = 16


def small(*, seed: int = 3, channels: int = 4, processes: Processes | None = None) -> Ugatit:
    torch.manual_seed(seed)
    config = UgatitConfig(
        generator=GeneratorConfig(size=SIZE, channels=channels, blocks=1, light=True),
        global_discriminator=DiscriminatorConfig(channels=channels, layers=4),
        local_discriminator=DiscriminatorConfig(channels=channels, layers=3),
    )
    method = Ugatit(config, processes=processes)
    for network in method.networks.values():
        network.double()
    return method


def batch(count: int, *, seed: int = 1) -> dict[str, Tensor]:
    """Return pictures of both domains, each `[count, 3, SIZE, SIZE]`."""
    random = torch.Generator().manual_seed(seed)
    return {domain: torch.rand(count, 3, SIZE, SIZE, generator=random).double() * 2 - 1 for domain in "AB"}


def weights(method: Ugatit) -> dict[str, Tensor]:
    """Return every parameter and buffer of every network."""
    return {
        f"{name}/{key}": value
        for name, network in method.networks.items()
        for key, value in network.state_dict().items()
    }
