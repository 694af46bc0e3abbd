"""UNIT (Liu et al., NIPS 2017) as its second official code: two auto-encoders with one latent space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.networks.unit import UnitGenerator
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.export.translator import Translator
from training.methods.encoder_decoder.method import OTHER, EncoderDecoder, l1_loss
from training.methods.finite_updates import GuardConfig
from training.methods.learner import Terms
from training.methods.method import Batch
from training.methods.unit.config import UnitConfig
from training.methods.unit.translators import translators
from training.parallel.processes import Processes


class Unit(EncoderDecoder):
    """Two generators, two multi-scale discriminators, and the training step.

    The latent code is the mean of N(mean, 1). Training decodes samples of it, a translation the mean.
    """

    def __init__(
        self,
        config: UnitConfig,
        *,
        size: int,
        speed: ComputeSettings = UNOPTIMIZED,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> None:
        """
        Args:
            config: networks, objective and optimizers.
            size: the side of the training pictures in pixels.
            speed: the compute settings.
            guard: limits that decide which updates are skipped; None for the default limits.
            processes: the processes that train together; None for this process alone.
        """
        self.config, self.size = config, size
        generators = {domain: UnitGenerator(config.generator) for domain in OTHER}
        super().__init__(config, generators, speed=speed, guard=guard, processes=processes)

    def fakes(self, real: Batch) -> dict[str, Tensor]:
        """Return translations of samples of the latent codes."""
        samples = self._samples({domain: self._encode(domain, real[domain]) for domain in OTHER})
        return {domain: self._decode(domain, samples[other]) for domain, other in OTHER.items()}

    def generator_objective(self, real: Batch) -> Terms:
        """Return the loss terms of both generators, from pictures `[B, 3, S, S]` of both domains."""
        codes = {domain: self._encode(domain, real[domain]) for domain in OTHER}  # [B, 4c, S/4, S/4]
        samples = self._samples(codes)
        own, fakes = {}, {}
        for domain, other in OTHER.items():
            # One pass decodes the domain's own pictures and the translations into it.
            both = self._decode(domain, torch.cat([samples[domain], samples[other]]))
            own[domain], fakes[domain] = both.chunk(2)
        terms = self.adversarial_terms(fakes)
        for domain in OTHER:
            terms[f"G_recon_{domain}"] = l1_loss(own[domain], real[domain])
            terms[f"G_kl_{domain}"] = codes[domain].square().mean()
        return terms | self._cycle_terms(real, fakes)

    def _cycle_terms(self, real: Batch, fakes: Mapping[str, Tensor]) -> Terms:
        """Return the terms of the way back; none if their weights are 0."""
        if not (self.config.weights.cycle or self.config.weights.cycle_kl):
            return {}
        codes = {domain: self._encode(domain, fakes[domain]) for domain in OTHER}
        samples = self._samples(codes)
        terms: Terms = {}
        for domain, other in OTHER.items():
            # The translation of a picture of `domain` looks like `other`, whose encoder encodes it.
            terms[f"G_cycle_{domain}"] = l1_loss(self._decode(domain, samples[other]), real[domain])
            terms[f"G_cycle_kl_{domain}"] = codes[other].square().mean()
        return terms

    def _encode(self, domain: str, pictures: Tensor) -> Tensor:
        mean: Tensor = self.forward(f"gen_{domain}", pictures, via="encoder")
        return mean

    def _decode(self, domain: str, code: Tensor) -> Tensor:
        image: Tensor = self.forward(f"gen_{domain}", code, via="decoder")
        return image

    def _samples(self, codes: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return samples of N(code, 1)."""
        return {domain: code + self.normal(*code.shape, like=code) for domain, code in codes.items()}

    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> Sequence[Translator]:
        """Return the translator of both directions."""
        return translators(self.networks if networks is None else networks, size=self.size)

    def weight(self, family: str) -> float:
        """Return the weight of a family of terms."""
        weights = self.config.weights
        named = {
            "G_recon": weights.reconstruction,
            "G_kl": weights.kl,
            "G_cycle": weights.cycle,
            "G_cycle_kl": weights.cycle_kl,
        }
        return named.get(family, weights.adversarial)
