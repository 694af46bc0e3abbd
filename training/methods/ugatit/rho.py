"""Rho, which mixes instance with layer normalisation in each AdaLIN and LIN (section 2.1, equations 1, 2)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from models.networks.normalization import LIN, AdaLIN


def rho_of_every_layer(generators: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return rho of every layer where it learns, `[C]`, in the form that mixes: 1 is IN and 0 is LN.

    Args:
        generators: by name; a layer is named `genA2B.decoder.0.norm1`.
    """
    return {
        f"{name}.{layer}": module.mixture
        for name, generator in generators.items()
        for layer, module in generator.named_modules()
        if isinstance(module, AdaLIN | LIN) and isinstance(module.rho, nn.Parameter)
    }


@torch.no_grad()
def clip_rho(generators: Mapping[str, nn.Module]) -> None:
    """Clip every rho to [0, 1], as the paper does after each update of the generators (equation 2)."""
    for generator in generators.values():
        for module in generator.modules():
            if isinstance(module, AdaLIN | LIN):
                module.rho.clamp_(0, 1)
