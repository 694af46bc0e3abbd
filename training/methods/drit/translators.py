"""The translators of DRIT: for each direction, a content encoder and the decoder of the target domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from torch import nn

from models.bundle.manifest import ImageSize
from models.networks.drit.config import DritConfig
from models.networks.drit.encoders import AttributeEncoder, ContentEncoder, DritStyleEncoder
from models.networks.drit.generator import DritGenerator, DritTranslator
from training.export.style_encoding import StyleEncoding
from training.export.translator import StylePrior, Translator
from training.methods.drit.attribute_graph import write_style_encoder
from training.methods.drit.graph import write_translator

NAME: Final = "drit"
TITLE: Final = "DRIT (Lee et al., ECCV 2018)"
DOMAINS: Final = ("A", "B")
DIRECTIONS: Final = (("A", "B"), ("B", "A"))
"""The source and the target domain of each direction."""
CONTENT: Final = "content_encoder"
ATTRIBUTE: Final = "attribute_encoder"
GENERATOR: Final = "generator"


def translators(networks: Mapping[str, nn.Module], config: DritConfig, size: int) -> list[Translator]:
    """Return both translators, if the content encoder and the generator are among these networks."""
    encoder, generator = networks.get(CONTENT), networks.get(GENERATOR)
    if not isinstance(encoder, ContentEncoder) or not isinstance(generator, DritGenerator):
        return []
    return [
        Translator(
            method=NAME,
            title=TITLE,
            source=source,
            target=target,
            network=DritTranslator(encoder, generator, source=source, target=target),
            size=ImageSize(height=size, width=size, fixed=False),
            architecture=asdict(config),
            shape=f"{config.mode} decoder, {config.channels} base channels, {config.style} style numbers",
            write_graph=write_translator,
            style=StylePrior(config.style),
            style_encoding=_style_encoding(networks, target),
        )
        for source, target in DIRECTIONS
    ]


def _style_encoding(networks: Mapping[str, nn.Module], domain: str) -> StyleEncoding | None:
    """Return how attributes of a domain are encoded, if the attribute encoder is among these networks."""
    attribute = networks.get(ATTRIBUTE)
    if not isinstance(attribute, AttributeEncoder):
        return None
    return StyleEncoding(DritStyleEncoder(attribute, domain), write_style_encoder)
