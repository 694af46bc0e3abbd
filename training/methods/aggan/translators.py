"""The translators of AGGAN: one masked generator for each direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from torch import nn

from models.bundle.declarations import HeatMap, Range
from models.bundle.manifest import ImageSize
from models.networks.aggan import AgganGenerator
from training.export.translator import Translator
from training.methods.aggan.graph import write_generator

NAME: Final = "aggan"
TITLE: Final = "AGGAN (Mejjati et al., NeurIPS 2018)"
DIRECTIONS: Final = (("A", "B"), ("B", "A"))
"""The source and the target domain of each direction."""
MASK: Final = HeatMap(name="attention", network="generator", kind="mask", range=Range(low=0, high=1))


def translators(networks: Mapping[str, nn.Module], *, size: int) -> list[Translator]:
    """Return the translators whose generator is among these networks, such as `genA2B`."""
    return [
        _translator(generator, size=size, source=source, target=target)
        for source, target in DIRECTIONS
        if isinstance(generator := networks.get(f"gen{source}2{target}"), AgganGenerator)
    ]


def _translator(generator: AgganGenerator, *, size: int, source: str, target: str) -> Translator:
    config = generator.config
    return Translator(
        method=NAME,
        title=TITLE,
        source=source,
        target=target,
        network=generator,
        size=ImageSize(height=size, width=size, fixed=False),
        architecture=asdict(config),
        shape=f"masked generator, {config.channels} base channels, {config.blocks} residual blocks",
        write_graph=write_generator,
        maps=[MASK],
    )
