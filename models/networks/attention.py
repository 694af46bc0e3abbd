"""Run a network and return the parts of its attention beside its output."""

from __future__ import annotations

from typing import overload

from torch import Tensor

from models.networks.cam import CAMParts
from models.networks.discriminator import Discriminator, DiscriminatorOutput
from models.networks.generator import Generator, GeneratorOutput


@overload
def run_with_parts(network: Generator, x: Tensor) -> tuple[GeneratorOutput, CAMParts | None]: ...
@overload
def run_with_parts(network: Discriminator, x: Tensor) -> tuple[DiscriminatorOutput, CAMParts | None]: ...
def run_with_parts(
    network: Generator | Discriminator, x: Tensor
) -> tuple[GeneratorOutput | DiscriminatorOutput, CAMParts | None]:
    """Return a network's output for pictures `[B, 3, H, W]`, and its attention's parts; None without a CAM.

    A network in training mode must have a frozen spectral norm: every read of its weights is a step of it.
    """
    cam, features = network.cam, list[Tensor]()
    if cam is None:
        return network(x), None
    hook = cam.register_forward_pre_hook(lambda _, given: features.append(given[0]))
    try:
        output: GeneratorOutput | DiscriminatorOutput = network(x)
    finally:
        hook.remove()
    return output, cam.parts(*features)
