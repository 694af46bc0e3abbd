"""The config of CycleGAN: networks, objective, image pools and optimizers.

Defaults are those of the official PyTorch code. It shows the pictures of domain B in random order with
repetitions, and resizes them with a bicubic filter; here the data pipeline is that of every method.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from models.networks.config import ConfigError
from models.networks.cyclegan import CycleganDiscriminatorConfig, CycleganGeneratorConfig
from training.methods.initialization import Initialization
from training.methods.schedules import linear_to_zero

EpochDecay = Literal["at start", "at end"]


@dataclass(frozen=True, kw_only=True)
class CycleganWeights:
    """The weights of the objective (section 3, equations 1 to 3)."""

    adversarial: float = 1.0
    """The weight of the generators' least-squares terms."""
    discriminator: float = 0.5
    """The weight of the discriminators' terms, which slows them down."""
    cycle_a: float = 10.0
    """The weight of the L1 between a picture of A and its reconstruction."""
    cycle_b: float = 10.0
    """The weight of the L1 between a picture of B and its reconstruction."""
    identity: float = 0.5
    """The weight of the L1 between a picture and its identity, times the cycle's weight of its domain. The
    paper uses it for paintings only."""


@dataclass(frozen=True, kw_only=True)
class CycleganConfig:
    """Networks, objective, image pools and optimizers."""

    generator: CycleganGeneratorConfig = field(default_factory=CycleganGeneratorConfig)
    discriminator: CycleganDiscriminatorConfig = field(default_factory=CycleganDiscriminatorConfig)
    weights: CycleganWeights = field(default_factory=CycleganWeights)
    pool: int = 50
    """Translations of each domain that are kept for the discriminators; 0 shows them only new ones."""
    initialization: Initialization = "normal"
    """The initial weights: `normal` from N(0, 0.02) with biases of 0; `framework` as torch draws them."""
    learning_rate: float = 2e-4
    """Adam's learning rate of all networks before it decays."""
    decay_from: float = 0.5
    """The share of the training after which the learning rate decays linearly; 1 for no decay."""
    epochs: int = 0
    """The number of equal epochs of the training. The learning rate decays only between epochs, as in the
    official code, which has 200; with 0 it decays to 0 at each step."""
    epoch_decay: EpochDecay = "at start"
    """When the official code lowers the rate: `at start` of an epoch, as it does now: the rate of the last
    epoch is 0; or `at end`, as it did in its early years: the rate falls one epoch later."""
    betas: tuple[float, float] = (0.5, 0.999)
    """The decay rates of Adam's two moments."""

    def __post_init__(self) -> None:
        if self.pool < 0:
            raise ConfigError(f"cyclegan.pool must be at least 0, got {self.pool}.")
        if not (self.learning_rate > 0 and self.epochs >= 0):
            raise ConfigError("cyclegan.learning_rate must be above 0, and cyclegan.epochs at least 0.")
        if not (0 <= self.decay_from <= 1 and all(0 <= beta < 1 for beta in self.betas)):
            raise ConfigError(
                "cyclegan.decay_from must be from 0 to 1, and cyclegan.betas at least 0 and below 1."
            )

    @property
    def base_channels(self) -> int:
        """The base channels of the widest network."""
        return max(self.generator.channels, self.discriminator.channels)

    def refuse_size(self, size: int) -> None:
        """Check that the networks take pictures of so many pixels.

        Raises:
            ConfigError: they do not.
        """
        if size % 4 or size < 8:
            raise ConfigError(f"data.size must be a multiple of 4 and at least 8 for CycleGAN, got {size}.")
        if size < self.discriminator.smallest_size:
            raise ConfigError(
                f"A discriminator of {self.discriminator.layers} layers needs pictures of at least "
                f"{self.discriminator.smallest_size} px, got {size}; lower cyclegan.discriminator.layers."
            )

    def learning_rate_at(self, done: float) -> float:
        """Return the learning rate of a step before which a share `done` of the training is done."""
        if self.epochs == 0:
            return self.learning_rate * linear_to_zero(done, decay_from=self.decay_from)
        epoch = int(done * self.epochs + 1e-6)  # 0.07 * 100 is a rounding error above 7
        return self.learning_rate * self.epoch_factor(epoch + (self.epoch_decay == "at start"))

    def epoch_factor(self, lowered: int) -> float:
        """Return the factor after the official scheduler has been called `lowered` times."""
        constant = round(self.decay_from * self.epochs)
        return 1 - max(0, lowered + 1 - constant) / (self.epochs - constant + 1)
