"""The translator of CartoonGAN: photos into cartoons, and no way back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from torch import nn

from models.bundle.manifest import ImageSize
from models.networks.cartoongan import CartoonganGenerator
from training.export.residual_generator import write_generator
from training.export.translator import Translator

NAME: Final = "cartoongan"
TITLE: Final = "CartoonGAN (Chen et al., CVPR 2018)"
PHOTOS: Final = "A"
CARTOONS: Final = "B"
GENERATOR: Final = "genA2B"
"""The generator's name among networks."""


def translators(networks: Mapping[str, nn.Module], *, size: int) -> list[Translator]:
    """Return the translator, if its generator is among these networks."""
    generator = networks.get(GENERATOR)
    if not isinstance(generator, CartoonganGenerator):
        return []
    config = generator.config
    return [
        Translator(
            method=NAME,
            title=TITLE,
            source=PHOTOS,
            target=CARTOONS,
            network=generator,
            size=ImageSize(height=size, width=size, fixed=False),
            architecture=asdict(config),
            shape=f"generator, {config.channels} base channels, {config.blocks} residual blocks",
            write_graph=write_generator,
        )
    ]
