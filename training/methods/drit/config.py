"""The config of DRIT: networks, objective, optimizers.

Defaults are those of the official code without mode seeking, which its current version, DRIT++, adds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from models.networks.config import ConfigError
from models.networks.drit.config import DritConfig as DritNetworks
from training.methods.progress import Progress


@dataclass(frozen=True, kw_only=True)
class DritWeights:
    """The weights of the objective (section 3.4)."""

    adversarial: float = 1.0
    """The weight of the adversarial terms of pictures."""
    content_adversarial: float = 1.0
    """The weight of the term that makes contents of both domains look alike."""
    self_reconstruction: float = 10.0
    """The weight of the L1 between a picture and what its own content and attribute decode to."""
    cross_cycle: float = 10.0
    """The weight of the L1 between a picture and its reconstruction after two exchanges of attributes."""
    content_norm: float = 0.01
    """The weight of the mean square of contents."""
    attribute_norm: float = 0.01
    """The weight of the divergence of attributes from the standard normal distribution; in the mode
    feature-wise, of their mean square."""
    latent_regression: float = 10.0
    """The weight of the L1 between a drawn attribute and that of the picture decoded from it."""
    mode_seeking: float = 0.0
    """The weight of mode seeking (DRIT++), which makes pictures of different attributes differ; 0 for
    none."""


@dataclass(frozen=True, kw_only=True)
class DritConfig:
    """Networks, objective and optimizers."""

    networks: DritNetworks = field(default_factory=DritNetworks)
    weights: DritWeights = field(default_factory=DritWeights)
    content_only_steps: int = 2
    """Steps before each whole one that update only the content discriminator; 0 makes every step a whole
    one."""
    largest_content_norm: float = 5.0
    """The gradients of the content discriminator are scaled down to this norm."""
    learning_rate: float = 1e-4
    """Adam's learning rate of all networks but the content discriminator, before it decays."""
    content_learning_rate: float = 4e-5
    """Adam's learning rate of the content discriminator, before it decays."""
    decay_from: float = 0.5
    """The share of the epochs after which the learning rates decay linearly, by epochs; 1 for no decay."""
    betas: tuple[float, float] = (0.5, 0.999)
    """The decay rates of Adam's two moments."""
    weight_decay: float = 1e-4
    """This times a weight is added to its gradient before Adam's moments."""

    def __post_init__(self) -> None:
        if self.content_only_steps < 0 or self.weight_decay < 0 or self.weights.mode_seeking < 0:
            raise ConfigError(
                "drit.content_only_steps, drit.weight_decay and drit.weights.mode_seeking must be at least 0."
            )
        rates = (self.learning_rate, self.content_learning_rate, self.largest_content_norm)
        if not all(value > 0 for value in rates):
            raise ConfigError(
                "drit.learning_rate, drit.content_learning_rate and drit.largest_content_norm must be "
                "above 0."
            )
        if not (0 <= self.decay_from <= 1 and all(0 <= beta < 1 for beta in self.betas)):
            raise ConfigError("drit.decay_from must be from 0 to 1, and drit.betas at least 0 and below 1.")

    @property
    def base_channels(self) -> int:
        """The base channels of the widest network."""
        return self.networks.channels

    def refuse_size(self, size: int) -> None:
        """Check that the networks take pictures of so many pixels.

        Raises:
            ConfigError: they do not.
        """
        if size % 4 or size < self.networks.smallest_size:
            raise ConfigError(
                f"data.size must be a multiple of 4 and at least {self.networks.smallest_size} for drit, got "
                f"{size}; for smaller pictures reduce drit.networks.content_layers, now "
                f"{self.networks.content_layers}, and drit.networks.scales, now {self.networks.scales}."
            )

    def is_content_only(self, progress: Progress) -> bool:
        """Return whether a step updates only the content discriminator."""
        position = progress.step_in_epoch
        whole = (position + 1) % (self.content_only_steps + 1) == 0
        return not whole and position < progress.epoch_steps - 2

    def decay_at(self, progress: Progress) -> float:
        """Return the factor of the learning rates in a step's epoch."""
        epochs = math.ceil(progress.total / progress.epoch_steps)
        constant = self.decay_from * epochs
        return 1 - max(0.0, progress.epoch - constant) / (epochs - constant + 1)
