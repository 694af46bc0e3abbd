"""The translators of UNIT: the encoder of one domain, then the decoder of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from torch import nn

from models.bundle.manifest import ImageSize
from models.networks.unit import UnitGenerator, UnitTranslator
from training.export.blocks import write_layers
from training.export.graph import Graph
from training.export.translator import Exported, Translator
from training.methods.encoder_decoder.method import OTHER

NAME: Final = "unit"
TITLE: Final = "UNIT (Liu et al., NIPS 2017)"


def translators(networks: Mapping[str, nn.Module], *, size: int) -> list[Translator]:
    """Return the translators whose generators, `gen_A` and `gen_B`, are both among these networks."""
    return [
        translator(encodes, decodes, source=source, target=target, size=size)
        for source, target in OTHER.items()
        if isinstance(encodes := networks.get(f"gen_{source}"), UnitGenerator)
        and isinstance(decodes := networks.get(f"gen_{target}"), UnitGenerator)
    ]


def translator(
    encodes: UnitGenerator, decodes: UnitGenerator, *, source: str, target: str, size: int
) -> Translator:
    """Return one direction."""
    config = encodes.config
    return Translator(
        method=NAME,
        title=TITLE,
        source=source,
        target=target,
        network=UnitTranslator(encodes.encoder, decodes.decoder),
        size=ImageSize(height=size, width=size, fixed=False),
        architecture=asdict(config),
        shape=f"{config.channels} base channels, {config.blocks} residual blocks each in encoder and decoder",
        write_graph=write_unit,
    )


def write_unit(graph: Graph, x: str, network: UnitTranslator, *, style: str | None) -> Exported:  # noqa: ARG001
    """Append the operators of an encoder and a decoder."""
    encoder, decoder = network.encoder, network.decoder
    parts = [encoder.down, encoder.blocks, decoder.blocks, decoder.upsampling, decoder.to_image]
    return Exported(write_layers(graph, x, parts))
