"""The config of MUNIT; the defaults are those of the official code."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.networks.munit import MunitGeneratorConfig
from training.methods.encoder_decoder.config import EncoderDecoderConfig


@dataclass(frozen=True, kw_only=True)
class MunitWeights:
    """The weights of the objective (section 4)."""

    adversarial: float = 1.0
    """The weight of every least-squares term, of discriminators and generators."""
    reconstruction: float = 10.0
    """The weight of the L1 between a picture and what its own codes are decoded to."""
    style: float = 1.0
    """The weight of the L1 between the style code of a translation and the one it was decoded from."""
    content: float = 1.0
    """The weight of the L1 between the content code of a translation and that of its picture."""
    cycle: float = 0.0
    """The weight of the L1 between a picture and its translation back in its own style; 0 leaves out its
    computation. The author uses 0 where shapes change, and 10 for seasons and streets."""


@dataclass(frozen=True, kw_only=True)
class MunitConfig(EncoderDecoderConfig):
    """Networks, objective and optimizers."""

    generator: MunitGeneratorConfig = field(default_factory=MunitGeneratorConfig)
    weights: MunitWeights = field(default_factory=MunitWeights)

    @property
    def base_channels(self) -> int:
        """The base channels of the generators."""
        return self.generator.channels
