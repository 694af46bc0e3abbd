"""Write the networks of a run in the layout of the official PyTorch code."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Final

import torch
from torch import Tensor, nn

from models.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator

# Our name -> the official one. Positions inside the sequential parts are the same in both.
_GENERATOR_NAMES: Final = (
    (r"encoder\.(\d+)\.body\.", r"DownBlock.\1.conv_block."),
    (r"encoder\.", "DownBlock."),
    (r"cam\.gap\.", "gap_fc."),
    (r"cam\.gmp\.", "gmp_fc."),
    (r"cam\.merge\.", "conv1x1."),
    (r"style\.hidden\.", "FC."),
    (r"style\.", ""),
    (r"to_image\.1\.", "UpBlock2.11."),
    (r"upsampling\.", "UpBlock2."),
)
_DISCRIMINATOR_NAMES: Final = (
    (r"features\.", "model."),
    (r"cam\.gap\.", "gap_fc."),
    (r"cam\.gmp\.", "gmp_fc."),
    (r"cam\.merge\.", "conv1x1."),
    (r"to_logit\.1\.", "conv."),
)
_SPECTRAL_NAMES: Final = (
    ("parametrizations.weight.original", "weight_orig"),
    ("parametrizations.weight.0._u", "weight_u"),
    ("parametrizations.weight.0._v", "weight_v"),
)
_SHAPES: Final = frozenset({"size", "channels", "blocks", "light", "layers"})
"""Fields of a config that the official code has too; the others must have their defaults."""


def to_official(generators: Mapping[str, Generator], discriminators: Mapping[str, Discriminator]) -> bytes:
    """Return all networks as a file that the official PyTorch code loads.

    Raises:
        ConfigError: a network has an option that the official code lacks.
    """
    if switches := sorted({*_switches(generators), *_switches(discriminators)}):
        raise ConfigError(
            f"The official PyTorch code has no {', '.join(switches)}; only networks without them can be "
            "exported for it."
        )
    content = {
        **{name: _official(network.state_dict(), _GENERATOR_NAMES) for name, network in generators.items()},
        **{
            name: _official(network.state_dict(), _DISCRIMINATOR_NAMES)
            for name, network in discriminators.items()
        },
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


def networks_to_official(networks: Mapping[str, nn.Module]) -> bytes:
    """Return all networks of the paper, as a file that the official PyTorch code loads.

    Raises:
        ConfigError: a network has an option that the official code lacks.
    """
    return to_official(
        {name: each for name, each in networks.items() if isinstance(each, Generator)},
        {name: each for name, each in networks.items() if isinstance(each, Discriminator)},
    )


def _switches(networks: Mapping[str, Generator] | Mapping[str, Discriminator]) -> Iterator[str]:
    for config in (network.config for network in networks.values()):
        kind = "generator" if isinstance(config, GeneratorConfig) else "discriminator"
        default = GeneratorConfig() if isinstance(config, GeneratorConfig) else DiscriminatorConfig()
        for each in fields(config):
            value = getattr(config, each.name)
            if each.name not in _SHAPES and value != getattr(default, each.name):
                yield f"{kind}.{each.name} = {str(value).lower()}"


def _official(state: Mapping[str, Tensor], names: tuple[tuple[str, str], ...]) -> dict[str, Tensor]:
    return {_name(key, names): _shaped(key, value).contiguous() for key, value in state.items()}


def _name(key: str, names: tuple[tuple[str, str], ...]) -> str:
    key = re.sub(r"^decoder\.(\d+)\.", lambda match: f"UpBlock1_{int(match[1]) + 1}.", key)
    for pattern, replacement in names:
        key, done = re.subn(f"^{pattern}", replacement, key)
        if done:
            break
    for ours, theirs in _SPECTRAL_NAMES:
        key = key.replace(ours, theirs)
    return key


def _shaped(key: str, value: Tensor) -> Tensor:
    """Return a value in the official shape: parameters of normalisations are `[1, C, 1, 1]` there."""
    return value.view(1, -1, 1, 1) if key.rpartition(".")[2] in ("rho", "gamma", "beta") else value
