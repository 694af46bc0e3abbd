"""The translators of CycleGAN: one generator for each direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from torch import nn

from models.bundle.manifest import ImageSize
from models.networks.cyclegan import CycleganGenerator
from training.export.residual_generator import write_generator
from training.export.translator import Translator

NAME: Final = "cyclegan"
TITLE: Final = "CycleGAN (Zhu et al., ICCV 2017)"
DIRECTIONS: Final = (("A", "B"), ("B", "A"))
"""The source and the target domain of each direction."""


def translators(networks: Mapping[str, nn.Module], *, size: int) -> list[Translator]:
    """Return the translators whose generator is among these networks, such as `genA2B`.

    `size` is the side of the training pictures; the networks take any multiple of 4.
    """
    return [
        translator(generator, source=source, target=target, size=size)
        for source, target in DIRECTIONS
        if isinstance(generator := networks.get(f"gen{source}2{target}"), CycleganGenerator)
    ]


def translator(generator: CycleganGenerator, *, source: str, target: str, size: int) -> Translator:
    """Return a generator as the translator of one direction."""
    config = generator.config
    return Translator(
        method=NAME,
        title=TITLE,
        source=source,
        target=target,
        network=generator,
        size=ImageSize(height=size, width=size, fixed=False),
        architecture=asdict(config),
        shape=f"{config.channels} base channels, {config.blocks} residual blocks",
        write_graph=write_generator,
    )
