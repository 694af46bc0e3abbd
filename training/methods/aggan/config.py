"""The config of AGGAN: networks, objective, phases, optimizers. Defaults are those of the official code."""

from __future__ import annotations

from dataclasses import dataclass, field

from models.networks.aggan import AgganDiscriminatorConfig, AgganGeneratorConfig
from models.networks.config import ConfigError
from training.methods.progress import Progress
from training.methods.schedules import linear_to_zero


@dataclass(frozen=True, kw_only=True)
class AgganWeights:
    """The weights of the objective (equation 6)."""

    adversarial: float = 1.0
    """The weight of the least-squares terms of generators and discriminators."""
    cycle: float = 10.0
    """The weight of the L1 between a picture and its reconstruction."""


@dataclass(frozen=True, kw_only=True)
class AgganConfig:
    """Networks, objective, phases and optimizers."""

    generator: AgganGeneratorConfig = field(default_factory=AgganGeneratorConfig)
    discriminator: AgganDiscriminatorConfig = field(default_factory=AgganDiscriminatorConfig)
    weights: AgganWeights = field(default_factory=AgganWeights)
    switch_epoch: int = 30
    """The epoch, counted from 0, at which the second phase begins: the discriminators lose their
    normalisation and see only pixels inside the mask, and the attention networks keep their weights. 0 for
    `switch_share` instead."""
    switch_share: float = 0.3
    """The share of the run after which the second phase begins, if `switch_epoch` is 0; 1 for never."""
    threshold: float = 0.1
    """The smallest value of a mask that the discriminators see in the second phase."""
    pool: int = 50
    """Earlier translations of each domain, with their masks, that the discriminators may see again; 0 for
    none."""
    learning_rate: float = 1e-4
    """Adam's learning rate of all networks before it decays."""
    decay_from: float = 0.5
    """The share of the epochs after which the learning rate decays linearly to 0; 1 for no decay."""
    betas: tuple[float, float] = (0.5, 0.999)
    """The decay rates of Adam's two moments."""

    def __post_init__(self) -> None:
        if self.switch_epoch < 0 or self.pool < 0:
            raise ConfigError("aggan.switch_epoch and aggan.pool must be at least 0.")
        for name in ("switch_share", "threshold", "decay_from"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigError(f"aggan.{name} must be from 0 to 1, got {getattr(self, name)}.")
        if not (self.learning_rate > 0 and all(0 <= beta < 1 for beta in self.betas)):
            raise ConfigError("aggan.learning_rate must be above 0, and aggan.betas at least 0 and below 1.")

    @property
    def base_channels(self) -> int:
        """The base channels of the widest network."""
        return max(self.generator.channels, self.discriminator.channels)

    def refuse_size(self, size: int) -> None:
        """Check that the networks take pictures of so many pixels.

        Raises:
            ConfigError: they do not.
        """
        if size < 8 or size % 4:
            raise ConfigError(f"data.size must be a multiple of 4 and at least 8 for aggan, got {size}.")

    def is_switched(self, progress: Progress) -> bool:
        """Return whether a step is in the second phase."""
        if self.switch_epoch:
            return progress.epoch >= self.switch_epoch
        return progress.done >= self.switch_share

    def learning_rate_at(self, progress: Progress) -> float:
        """Return the learning rate of a step: it decays at the start of each epoch."""
        done = progress.epoch * progress.epoch_steps / progress.total
        return self.learning_rate * linear_to_zero(done, decay_from=self.decay_from)
