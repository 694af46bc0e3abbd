"""The translators of MUNIT: the content encoder of one domain, then the decoder of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from torch import nn

from models.bundle.manifest import ImageSize
from models.networks.munit import MunitGenerator, MunitTranslator
from training.export.style_encoding import StyleEncoding
from training.export.translator import StylePrior, Translator
from training.methods.encoder_decoder.method import OTHER
from training.methods.munit.graph import write_munit, write_style_encoder

NAME: Final = "munit"
TITLE: Final = "MUNIT (Huang et al., ECCV 2018)"


def translators(networks: Mapping[str, nn.Module], *, size: int) -> list[Translator]:
    """Return the translators whose generators, `gen_A` and `gen_B`, are both among these networks."""
    return [
        translator(encodes, decodes, source=source, target=target, size=size)
        for source, target in OTHER.items()
        if isinstance(encodes := networks.get(f"gen_{source}"), MunitGenerator)
        and isinstance(decodes := networks.get(f"gen_{target}"), MunitGenerator)
    ]


def translator(
    encodes: MunitGenerator, decodes: MunitGenerator, *, source: str, target: str, size: int
) -> Translator:
    """Return one direction, whose style codes are those of the target domain."""
    config = decodes.config
    return Translator(
        method=NAME,
        title=TITLE,
        source=source,
        target=target,
        network=MunitTranslator(encodes.content_encoder, decodes.mlp, decodes.decoder),
        size=ImageSize(height=size, width=size, fixed=False),
        architecture=asdict(config),
        shape=(
            f"{config.channels} base channels, {config.blocks} residual blocks each in encoder and decoder, "
            f"style codes of {config.style} numbers"
        ),
        write_graph=write_munit,
        style=StylePrior(config.style),
        style_encoding=StyleEncoding(decodes.style_encoder, write_style_encoder),
    )
