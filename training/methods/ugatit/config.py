"""The config of U-GAT-IT: networks, objective, optimizers.

Defaults are those of the official PyTorch code, with one exception: after a resume, its learning rate is one
step ahead. Here the learning rate is a function of the step alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from models.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig, deepest_layers
from models.networks.feature_discriminator import SMALLEST_SIZE
from training.methods.adam import AdamForm
from training.methods.differentiable_augmentation import DiscriminatorAugmentation
from training.methods.initialization import DecayedWeights, Initialization


@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """The weights of the objective (section 2.2, equation 8)."""

    adversarial: float = 1.0
    """The weight of every least-squares term, of discriminators and generators, and of the feature
    discriminators' own term."""
    cycle: float = 10.0
    """The weight of the L1 between a picture and its reconstruction, which preserves the content."""
    identity: float = 10.0
    """The weight of the L1 between a picture and its identity, which preserves the colours."""
    cam: float = 1000.0
    """The weight of the loss of the generators' auxiliary classifiers, whose weights form the heat map."""
    feature: float = 0.0
    """The weight of the generators' terms against two more discriminators, which see a frozen classifier's
    features of a picture (Projected GAN). Not in the paper; 0 for none."""
    nce: float = 0.0
    """The weight of the generators' loss for places of a translation, of 8 px and of 16 px, that cannot be
    recognised as those of its source, by a frozen classifier's features (PatchNCE). The similarities of all
    places take 4 MB a picture at 256 px, and 16 times as much at twice the side. Not in the paper; 0 for
    none."""


@dataclass(frozen=True, kw_only=True)
class UgatitConfig:
    """Networks, objective and optimizers."""

    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    global_discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    local_discriminator: DiscriminatorConfig = field(default_factory=lambda: DiscriminatorConfig(layers=5))
    weights: LossWeights = field(default_factory=LossWeights)
    discriminator_augmentation: DiscriminatorAugmentation = field(default_factory=DiscriminatorAugmentation)
    """Random changes of all pictures that the discriminators see in training; none by default."""
    initialization: Initialization = "framework"
    """The initial weights: `framework` as torch draws them; `normal` from N(0, 0.02) with biases of 0, as in
    the TensorFlow code and the paper. Feature discriminators and the projections of PatchNCE are always drawn
    as torch does."""
    learning_rate: float = 1e-4
    """Adam's learning rate of all networks before it decays. It does not scale with the batch."""
    decay_from: float = 0.5
    """The share of the training after which the learning rate decays linearly to 0; 1 for no decay."""
    epochs: int = 0
    """The number of equal epochs of the training. The learning rate decays only at the start of an epoch, as
    in the TensorFlow code, which has 100 epochs of 10,000 steps; with 0 it decays at each step."""
    betas: tuple[float, float] = (0.5, 0.999)
    """The decay rates of Adam's two moments; 0.5 instead of 0.9 is usual for adversarial training."""
    adam: AdamForm = "pytorch"
    """Where Adam adds its epsilon of 1e-8: `pytorch` after the correction of the second moment, `tensorflow`
    before it, as the TensorFlow code. They differ in early steps, for gradients below 1e-6."""
    weight_decay: float = 1e-4
    """This times a weight is added to its gradient before Adam's moments, which equals an L2 loss of
    `weight_decay / 2` times the squared weight."""
    weight_decay_on: DecayedWeights = "all"
    """Which parameters decay: `all`, including rho; or `kernels`, the weights of convolutions and fully
    connected layers before spectral normalisation, as in the TensorFlow code."""

    def __post_init__(self) -> None:
        for name in ("global_discriminator", "local_discriminator"):
            self._refuse_too_deep(name, getattr(self, name).layers)
        if not (self.learning_rate > 0 and self.weight_decay >= 0 and self.epochs >= 0):
            raise ConfigError(
                "ugatit.learning_rate must be above 0, ugatit.weight_decay and ugatit.epochs at least 0."
            )
        if not (0 <= self.decay_from <= 1 and all(0 <= beta < 1 for beta in self.betas)):
            raise ConfigError(
                "ugatit.decay_from must be from 0 to 1, and ugatit.betas at least 0 and below 1."
            )
        for name in ("feature", "nce"):
            self._refuse_classifier_weight(name, getattr(self.weights, name))

    @property
    def base_channels(self) -> int:
        """The base channels of the widest network."""
        networks = (self.generator, self.global_discriminator, self.local_discriminator)
        return max(each.channels for each in networks)

    def refuse_size(self, size: int) -> None:
        """Check that the networks take pictures of so many pixels.

        Raises:
            ConfigError: they do not.
        """
        if size != self.generator.size:
            raise ConfigError(
                f"data.size and ugatit.generator.size must be equal, got {size} and {self.generator.size}; "
                "--size sets both."
            )

    def _refuse_too_deep(self, name: str, layers: int) -> None:
        deepest = deepest_layers(self.generator.size)
        if layers > deepest:
            raise ConfigError(
                f"ugatit.{name}.layers must be at most {deepest} for pictures of {self.generator.size} px, "
                f"got {layers}."
            )

    def _refuse_classifier_weight(self, name: str, weight: float) -> None:
        if not weight >= 0:
            raise ConfigError(f"ugatit.weights.{name} must be at least 0, got {weight}.")
        if weight and self.generator.size < SMALLEST_SIZE:
            raise ConfigError(
                f"ugatit.weights.{name} needs pictures of at least {SMALLEST_SIZE} px, got "
                f"{self.generator.size}; set it to 0, or choose a larger --size."
            )

    def learning_rate_at(self, progress: float) -> float:
        """Return the learning rate of a step after which a share `progress` of the training is done."""
        done = progress
        if self.epochs:
            # The share that was done when this epoch began. 0.07 * 100 is a rounding error above 7.
            done = max(0, math.ceil(progress * self.epochs - 1e-6) - 1) / self.epochs
        if done <= self.decay_from:
            return self.learning_rate
        return self.learning_rate * ((1 - done) / (1 - self.decay_from))
