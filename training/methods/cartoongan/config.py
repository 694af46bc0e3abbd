"""The config of CartoonGAN: networks, objective, phases, optimizers. Defaults are the author's choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from models.networks.cartoongan import CartoonganDiscriminatorConfig, CartoonganGeneratorConfig
from models.networks.config import ConfigError
from models.networks.vgg import VggInput
from training.methods.progress import Progress
from training.methods.schedules import linear_to_zero

Adversarial = Literal["least-squares", "cross-entropy"]
Decay = Literal["linear", "steps"]


@dataclass(frozen=True, kw_only=True)
class CartoonganWeights:
    """The weights of the objective (section 3.2)."""

    adversarial: float = 1.0
    """The weight of every adversarial term."""
    content: float = 10.0
    """The weight of the L1 between VGG19's features of a photo and of its cartoon. It needs `vgg_weights`; 0
    for no such term, and then there is no initial phase."""


@dataclass(frozen=True, kw_only=True)
class CartoonganConfig:
    """Networks, objective, phases and optimizers."""

    generator: CartoonganGeneratorConfig = field(default_factory=CartoonganGeneratorConfig)
    discriminator: CartoonganDiscriminatorConfig = field(default_factory=CartoonganDiscriminatorConfig)
    weights: CartoonganWeights = field(default_factory=CartoonganWeights)
    vgg_weights: str = ""
    """The file with VGG19's weights for the content term: a state dict with torchvision's names, as
    `torch.save` writes it. Layers after conv4_4 are left out."""
    vgg_input: VggInput = "caffe"
    """What these weights expect: `caffe` is BGR from 0 to 255 less the channels' means, at 224 px, as in the
    author's code; `unit` is RGB from 0 to 1 in the picture's size, as in the port."""
    adversarial: Adversarial = "least-squares"
    """The adversarial loss: `least-squares` as in the author's code, or `cross-entropy` as in the port."""
    initial_epochs: int = 20
    """The epochs of the initial phase, in which only the content term trains the generator; 0 for
    `initial_share` instead."""
    initial_share: float = 0.1
    """The share of the run that is the initial phase, if `initial_epochs` is 0."""
    initial_learning_rate: float = 2e-4
    """Adam's learning rate in the initial phase, before it decays."""
    learning_rate: float = 1e-5
    """Adam's learning rate in the main phase, before it decays."""
    decay: Decay = "linear"
    """How the learning rate decays: `linear` to 0 in the second half of each phase, as in the author's code;
    `steps` to a tenth in the middle of the main phase and again at three quarters, as in the port."""
    betas: tuple[float, float] = (0.5, 0.999)
    """The decay rates of Adam's two moments."""
    pool: int = 50
    """Earlier cartoons that the discriminator may see again; 0 for none, as in the port."""

    def __post_init__(self) -> None:
        if self.initial_epochs < 0 or self.pool < 0 or not 0 <= self.initial_share < 1:
            raise ConfigError(
                "cartoongan.initial_epochs and cartoongan.pool must be at least 0, and "
                "cartoongan.initial_share at least 0 and below 1."
            )
        rates = (self.learning_rate, self.initial_learning_rate)
        if not (all(rate > 0 for rate in rates) and all(0 <= beta < 1 for beta in self.betas)):
            raise ConfigError(
                "cartoongan.learning_rate and cartoongan.initial_learning_rate must be above 0, and "
                "cartoongan.betas at least 0 and below 1."
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
        if size < 8 or size % 4:
            raise ConfigError(f"data.size must be a multiple of 4 and at least 8 for cartoongan, got {size}.")

    def initial_steps(self, progress: Progress) -> int:
        """Return the number of steps of the initial phase."""
        if self.weights.content == 0:
            return 0
        if self.initial_epochs:
            return self.initial_epochs * progress.epoch_steps
        return round(self.initial_share * progress.total)

    def is_initial(self, progress: Progress) -> bool:
        """Return whether a step is in the initial phase."""
        return progress.step <= self.initial_steps(progress)

    def learning_rate_at(self, progress: Progress) -> float:
        """Return the learning rate of a step."""
        initial = self.initial_steps(progress)
        if progress.step <= initial:
            done = (progress.step - 1) / initial
            factor = linear_to_zero(done, decay_from=0.5) if self.decay == "linear" else 1.0
            return self.initial_learning_rate * factor
        done = (progress.step - 1 - initial) / (progress.total - initial)
        if self.decay == "linear":
            return self.learning_rate * linear_to_zero(done, decay_from=0.5)
        return self.learning_rate * 0.1 ** ((done >= 0.5) + (done >= 0.75))
