"""CartoonGAN (Chen et al., CVPR 2018): a generator, a discriminator, VGG19's features, two phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from models.networks.cartoongan import CartoonganGenerator, cartoongan_discriminator
from models.networks.config import ConfigError
from models.networks.translation import Translation
from models.networks.vgg import VggFeatures
from training.checkpoint.content import Packed
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.export.translator import Translator
from training.methods.base import NetworkMethod
from training.methods.cartoongan.config import CartoonganConfig
from training.methods.cartoongan.losses import adversarial_loss, l1_loss
from training.methods.cartoongan.translators import CARTOONS, GENERATOR, PHOTOS, translators
from training.methods.cartoongan.vgg_weights import read_vgg
from training.methods.finite_updates import GuardConfig
from training.methods.freeze import frozen_parameters
from training.methods.image_pool import ImagePool
from training.methods.initialization import initialize
from training.methods.learner import Terms
from training.methods.method import Batch
from training.methods.progress import Progress
from training.parallel.processes import Processes

DISCRIMINATOR: Final = "disB"
SMOOTHED: Final = "B_smooth"
"""The cartoons with blurred edges, in a batch."""


class Cartoongan(NetworkMethod):
    """The networks, their optimizers and the training step."""

    def __init__(
        self,
        config: CartoonganConfig,
        *,
        size: int,
        speed: ComputeSettings = UNOPTIMIZED,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> None:
        """
        Args:
            config: networks, objective, phases and optimizers.
            size: the side of the training pictures in pixels.
            speed: the compute settings.
            guard: limits that decide which updates are skipped; None for the default limits.
            processes: the processes that train together, each on its own batch; None for this process alone.
        """
        self.config = config
        self.size = size
        self._features: VggFeatures | None = None
        self.pool = ImagePool(config.pool)
        networks: dict[str, nn.Module] = {
            GENERATOR: CartoonganGenerator(config.generator),
            DISCRIMINATOR: cartoongan_discriminator(config.discriminator),
        }
        initialize(networks.values(), "normal")
        super().__init__(networks, speed=speed)
        optimizers = {"generator": self._adam(GENERATOR), "discriminator": self._adam(DISCRIMINATOR)}
        self.learn(optimizers, guard=guard, processes=processes)

    def learning_rates(self, progress: Progress) -> float:
        """Return the learning rate of both optimizers."""
        return self.config.learning_rate_at(progress)

    def update(self, micro_batches: Sequence[Mapping[str, Tensor]], progress: Progress) -> Terms:
        """Update the discriminator, then the generator; in the initial phase only the generator."""
        if self.config.is_initial(progress):
            return self.minimize(
                "generator", [partial(self.content_objective, each) for each in micro_batches]
            )
        self.pool.begin()
        means = self.minimize(
            "discriminator", [partial(self.discriminator_objective, each) for each in micro_batches]
        )
        with frozen_parameters([self.networks[DISCRIMINATOR]]):
            means |= self.minimize(
                "generator", [partial(self.generator_objective, each) for each in micro_batches]
            )
        return means

    def content_objective(self, batch: Mapping[str, Tensor]) -> Terms:
        """Return the content term of photos `[B, 3, S, S]`."""
        return self._content(batch[PHOTOS], self.translate(batch[PHOTOS]))

    def discriminator_objective(self, batch: Mapping[str, Tensor]) -> Terms:
        """Return the terms of the discriminator: only cartoons with clear edges are real."""
        with torch.no_grad():
            (fake,) = self.pool.query(self.translate(batch[PHOTOS]))
        labels = {"real": (batch[CARTOONS], 1.0), "fake": (fake, 0.0), "smoothed": (batch[SMOOTHED], 0.0)}
        logits = self.judge(torch.cat([pictures for pictures, _ in labels.values()])).chunk(len(labels))
        return {
            f"D_{name}_{CARTOONS}": adversarial_loss(logit, label, self.config.adversarial)
            for (name, (_, label)), logit in zip(labels.items(), logits, strict=True)
        }

    def generator_objective(self, batch: Mapping[str, Tensor]) -> Terms:
        """Return the terms of the generator, from a forward pass of its own."""
        photos = batch[PHOTOS]
        fake = self.translate(photos)  # [B, 3, S, S]
        adversarial = adversarial_loss(self.judge(fake), 1.0, self.config.adversarial)
        return {f"G_adv_{CARTOONS}": adversarial, **self._content(photos, fake)}

    def translate(self, photos: Tensor) -> Tensor:
        """Return cartoons `[B, 3, S, S]` of photos."""
        translation: Translation = self.forward(GENERATOR, photos)
        return translation.image

    def judge(self, pictures: Tensor) -> Tensor:
        """Return the discriminator's logits `[B, 1, S/4, S/4]` for pictures `[B, 3, S, S]`."""
        logits: Tensor = self.forward(DISCRIMINATOR, pictures)
        return logits

    def _content(self, photos: Tensor, cartoons: Tensor) -> Terms:
        if self.config.weights.content == 0:
            return {}
        vgg = self.features(photos.device)
        with torch.no_grad():
            target = vgg(photos)  # [B, 512, S/8, S/8]
        return {f"G_content_{PHOTOS}": l1_loss(vgg(cartoons), target)}

    def features(self, device: torch.device) -> VggFeatures:
        """Return VGG19's features, which no checkpoint holds and only a step needs.

        Raises:
            ConfigError: its weights cannot be read.
        """
        if self._features is None:
            self._features = _vgg(self.config).to(device)
        return self._features

    @property
    def averaged_networks(self) -> list[str]:
        """The name of the generator, which translates."""
        return [GENERATOR]

    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> list[Translator]:
        """Return the translator of photos, if these networks have its generator."""
        return translators(self.networks if networks is None else networks, size=self.size)

    @torch.no_grad()
    def answers_to_real(self, batch: Batch) -> dict[str, float]:
        """Return the discriminator's mean answer to cartoons."""
        logits = self.judge(batch[CARTOONS])
        answers = logits if self.config.adversarial == "least-squares" else logits.sigmoid()
        return {CARTOONS: float(answers.mean())}

    def weight(self, family: str) -> float:
        """Return the weight of a family of terms."""
        weights = self.config.weights
        return weights.content if family == "G_content" else weights.adversarial

    def undo(self) -> None:
        """Take the translations of this step out of the pool."""
        self.pool.undo()

    def extra_state(self) -> Packed:
        """Return the pool."""
        return Packed(self.pool.state(), {})

    def load_extra_state(self, state: Packed) -> None:
        """Restore the pool."""
        self.pool.load_state(state.tensors)

    def _adam(self, name: str) -> torch.optim.Adam:
        return torch.optim.Adam(
            self.networks[name].parameters(),
            lr=self.config.learning_rate,
            betas=self.config.betas,
            fused=self.speed.fused_adam or None,
        )


def _vgg(config: CartoonganConfig) -> VggFeatures:
    if not config.vgg_weights:
        raise ConfigError(
            "CartoonGAN's content term needs VGG19's weights: add --vgg-weights FILE, or "
            "--set cartoongan.weights.content=0 to train without that term."
        )
    return read_vgg(Path(config.vgg_weights).expanduser(), expects=config.vgg_input)
