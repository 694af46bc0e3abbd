"""The feature discriminators of a run, which see pictures through a frozen classifier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.feature_discriminator import FeatureDiscriminator
from models.networks.generator import GeneratorOutput
from training.methods.differentiable_augmentation import DiscriminatorAugmentation
from training.methods.learner import Terms
from training.methods.ugatit.classifier_maps import ClassifierMaps
from training.methods.ugatit.losses import feature_adversarial_terms, feature_discriminator_terms
from training.pretrained.feature_maps import CHANNELS


class FeatureDiscriminators:
    """One feature discriminator for each domain: `disFA`, `disFB`."""

    def __init__(
        self, forward: Callable[..., Any], maps: ClassifierMaps, augment: DiscriminatorAugmentation
    ) -> None:
        """
        Args:
            forward: runs a network, by name, under the compute settings.
            maps: computes the classifier's features of pictures.
            augment: changes pictures before they are judged.
        """
        self._forward = forward
        self._maps = maps
        self._augment = augment
        self.networks: dict[str, nn.Module] = {
            f"disF{domain}": FeatureDiscriminator(CHANNELS) for domain in "AB"
        }
        """The networks that learn."""

    def discriminator_terms(self, real: Mapping[str, Tensor], fakes: Mapping[str, Tensor]) -> Terms:
        """Return the loss terms of both discriminators, from pictures `[B, 3, S, S]` of both domains.

        Raises:
            ConfigError: the packages of the classifier are not installed.
        """
        terms: Terms = {}
        for domain in "AB":
            pictures = torch.cat([self._augment(real[domain]), self._augment(fakes[domain])])  # [2B, 3, S, S]
            halves = [logits.chunk(2) for logits in self._judge(domain, pictures)]
            real_logits, fake_logits = zip(*halves, strict=True)
            terms |= feature_discriminator_terms(domain, real_logits, fake_logits)
        return terms

    def generator_terms(self, translations: Mapping[str, GeneratorOutput]) -> Terms:
        """Return the loss terms of both generators, from their translations.

        Raises:
            ConfigError: the packages of the classifier are not installed.
        """
        terms: Terms = {}
        for domain in "AB":
            logits = self._judge(domain, self._augment(translations[domain].image))
            terms |= feature_adversarial_terms(domain, logits)
        return terms

    def _judge(self, domain: str, pictures: Tensor) -> list[Tensor]:
        """Return the logits of each level, `[B, 1, h, w]`."""
        logits: list[Tensor] = self._forward(f"disF{domain}", *self._maps(pictures))
        return logits
