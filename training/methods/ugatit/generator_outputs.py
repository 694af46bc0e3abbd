"""The outputs of networks with a CAM and the parts of their attention, named as an exported graph's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from models.bundle.declarations import PARTS, Network, map_name
from models.networks.attention import run_with_parts
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator


@torch.inference_mode()
def generator_outputs(generator: Generator, pictures: Tensor) -> dict[str, Tensor]:
    """Return all outputs of a generator for pictures `[B, 3, S, S]`."""
    return outputs_with_parts(generator, pictures, "generator")


def outputs_with_parts(
    network: Generator | Discriminator, pictures: Tensor, kind: Network
) -> dict[str, Tensor]:
    """Return all outputs of a network; the parts of the attention only with a CAM."""
    output, parts = run_with_parts(network, pictures)
    suffix = "" if kind == "generator" else f"_{kind}"
    values = {f"{name}{suffix}": value for name, value in output._asdict().items() if value is not None}
    if parts is not None:
        values |= {map_name(kind, part): getattr(parts, part) for part in PARTS if part != "both"}
    return values


def heat_map_judge(
    discriminators: Mapping[Network, Discriminator],
) -> Callable[[Tensor], dict[str, Tensor]]:
    """Return a function that returns the outputs of discriminators for pictures `[B, 3, S, S]`."""

    @torch.inference_mode()
    def judge(pictures: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = {}
        for kind, discriminator in discriminators.items():
            outputs |= outputs_with_parts(discriminator.eval().to(pictures.device), pictures, kind)
        return outputs

    return judge
