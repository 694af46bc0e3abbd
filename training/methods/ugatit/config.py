"""All that U-GAT-IT can be told.

Defaults are the choices of the official PyTorch code, but for one oversight that nothing here repeats: once
resumed, its learning rate is a step ahead. Here the rate is a function of the step alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from models.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig, deepest_layers

Initialization = Literal["framework", "normal"]
DecayedWeights = Literal["all", "kernels"]


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """The weights of the objective (section 2.2.4)."""

    adversarial: float = 1.0
    """Of every least-squares term: the discriminators', and the generators' against them."""
    cycle: float = 10.0
    """Of the L1 between a picture and its translation's translation: keeps the content."""
    identity: float = 10.0
    """Of the L1 between a picture and its translation into its own domain: keeps the colours."""
    cam: float = 1000.0
    """Of the generators' own classifiers, whose weights make the attention."""


@dataclass(frozen=True, kw_only=True)
class UgatitConfig:
    """Networks, objective and optimizers."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    global_discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    local_discriminator: DiscriminatorConfig = field(default_factory=lambda: DiscriminatorConfig(layers=5))
    weights: LossWeights = field(default_factory=LossWeights)
    initialization: Initialization = "framework"
    """Weights are drawn as torch draws them; or normal, as in the TensorFlow code and the paper: from
    N(0, 0.02), and biases are 0."""
    learning_rate: float = 1e-4
    """Adam's, for generators and discriminators, until it decays. It does not follow the batch."""
    decay_from: float = 0.5
    """The share of the training after which the learning rate falls linearly to zero; 1 is never."""
    epochs: int = 0
    """Into so many equal parts the training is divided, and the learning rate falls only where one begins, as
    in the TensorFlow code, which has 100 of 10,000 steps; with 0 it falls at each step."""
    betas: tuple[float, float] = (0.5, 0.999)
    """Adam's decay of its two moments; 0.5 rather than 0.9, as usual for adversarial training."""
    weight_decay: float = 1e-4
    """Times a weight, added to its gradient before Adam's moments: as an L2 loss of half of it times the
    squared weight."""
    weight_decay_on: DecayedWeights = "all"
    """All parameters, rho too; or kernels alone, as in the TensorFlow code: the weights of convolutions and
    fully connected layers, before spectral normalisation."""

    def __post_init__(self) -> None:
        for name in ("global_discriminator", "local_discriminator"):
            self._refuse_too_deep(name, getattr(self, name).layers)
        if not (self.learning_rate > 0 and self.weight_decay >= 0 and self.epochs >= 0):
            raise ConfigError(
                "ugatit.learning_rate must be above 0, ugatit.weight_decay and ugatit.epochs at least 0."
            )
        if not (0 <= self.decay_from <= 1 and all(0 <= beta < 1 for beta in self.betas)):
            raise ConfigError("ugatit.decay_from must lie between 0 and 1, ugatit.betas below 1.")

    def _refuse_too_deep(self, name: str, layers: int) -> None:
        deepest = deepest_layers(self.generator.size)
        if layers > deepest:
            raise ConfigError(
                f"ugatit.{name}.layers is {layers}, which leaves nothing to judge of pictures of "
                f"{self.generator.size} px; the deepest discriminator that fits has {deepest}."
            )

    def learning_rate_at(self, progress: float) -> float:
        """The learning rate when a share of the training is done, 0 to 1, the step at hand included."""
        done = progress
        if self.epochs:
            # The share that was done when this epoch began; 7 % of 100 epochs is a rounding error above 7.
            done = max(0, math.ceil(progress * self.epochs - 1e-6) - 1) / self.epochs
        if done <= self.decay_from:
            return self.learning_rate
        return self.learning_rate * ((1 - done) / (1 - self.decay_from))
