"""The feature discriminators of a run, and the frozen classifier whose features they see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.config import ConfigError
from models.networks.feature_discriminator import FeatureDiscriminator
from models.networks.generator import GeneratorOutput
from training.methods.differentiable_augmentation import DiscriminatorAugmentation
from training.methods.learner import Terms
from training.methods.ugatit.losses import feature_adversarial_terms, feature_discriminator_terms
from training.pretrained.feature_maps import FeatureMaps
from training.pretrained.weights import PretrainedError


class FeatureJudges:
    """One feature discriminator for each domain: `disFA`, `disFB`."""

    def __init__(self, forward: Callable[..., Any], augment: DiscriminatorAugmentation) -> None:
        """
        Args:
            forward: runs a network, by name, under the compute settings.
            augment: changes pictures before they are judged.

        Raises:
            ConfigError: the classifier's packages are not installed.
        """
        try:
            self._classifier = FeatureMaps()
        except PretrainedError as error:
            raise ConfigError(f"ugatit.weights.feature is not 0, but {error}") from None
        self._forward = forward
        self._augment = augment
        self.networks: dict[str, nn.Module] = {
            f"disF{domain}": FeatureDiscriminator(self._classifier.channels) for domain in "AB"
        }
        """The discriminators, which learn; the classifier does not, and is in no checkpoint."""

    def discriminator_terms(self, real: Mapping[str, Tensor], fakes: Mapping[str, Tensor]) -> Terms:
        """Return the loss terms of both discriminators, from pictures `[B, 3, S, S]` of both domains."""
        terms: Terms = {}
        for domain in "AB":
            pictures = torch.cat([self._augment(real[domain]), self._augment(fakes[domain])])  # [2B, 3, S, S]
            halves = [logits.chunk(2) for logits in self._judge(domain, pictures)]
            terms |= feature_discriminator_terms(
                domain, [real_logits for real_logits, _ in halves], [fake_logits for _, fake_logits in halves]
            )
        return terms

    def generator_terms(self, translations: Mapping[str, GeneratorOutput]) -> Terms:
        """Return the loss terms of both generators, from their translations."""
        terms: Terms = {}
        for domain in "AB":
            logits = self._judge(domain, self._augment(translations[domain].image))
            terms |= feature_adversarial_terms(domain, logits)
        return terms

    def _judge(self, domain: str, pictures: Tensor) -> list[Tensor]:
        """Return the logits of each scale. The classifier computes in float32: bfloat16 is no faster here."""
        maps = self._classifier.to(pictures.device)(pictures)
        logits: list[Tensor] = self._forward(f"disF{domain}", *maps)
        return logits
