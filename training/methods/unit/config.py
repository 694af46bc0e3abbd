"""The config of UNIT; the defaults are those of the official code."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.networks.unit import UnitGeneratorConfig
from training.methods.encoder_decoder.config import EncoderDecoderConfig


@dataclass(frozen=True, kw_only=True)
class UnitWeights:
    """The weights of the objective."""

    adversarial: float = 1.0
    """The weight of every least-squares term, of discriminators and generators."""
    reconstruction: float = 10.0
    """The weight of the L1 between a picture and what its own encoder and decoder make of it."""
    kl: float = 0.01
    """The weight of the mean square of the latent code, which keeps it near the prior N(0, 1)."""
    cycle: float = 10.0
    """The weight of the L1 between a picture and its translation back; 0 leaves out its computation."""
    cycle_kl: float = 0.01
    """The weight of the mean square of a translation's latent code."""


@dataclass(frozen=True, kw_only=True)
class UnitConfig(EncoderDecoderConfig):
    """Networks, objective and optimizers."""

    generator: UnitGeneratorConfig = field(default_factory=UnitGeneratorConfig)
    weights: UnitWeights = field(default_factory=UnitWeights)

    @property
    def base_channels(self) -> int:
        """The base channels of the generators."""
        return self.generator.channels
