"""A method small enough for a test to train it in no time, in float64.

Adam's first steps are the sign of the gradient: in float32, rounding decides where a gradient is all but
zero. In float64 such a gradient is far below Adam's epsilon, and what is equal to rounding stays so.
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
    """Pictures of both domains, `[count, 3, SIZE, SIZE]`."""
    random = torch.Generator().manual_seed(seed)
    return {domain: torch.rand(count, 3, SIZE, SIZE, generator=random).double() * 2 - 1 for domain in "AB"}


def weights(method: Ugatit) -> dict[str, Tensor]:
    """Every parameter and buffer of every network."""
    return {
        f"{name}/{key}": value
        for name, network in method.networks.items()
        for key, value in network.state_dict().items()
    }
