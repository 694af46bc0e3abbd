"""MUNIT (Huang et al., ECCV 2018): a content code that domains share, and a style code of each domain."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from models.networks.munit import Codes, MunitGenerator
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.export.translator import Translator
from training.methods.encoder_decoder.method import OTHER, EncoderDecoder, l1_loss
from training.methods.finite_updates import GuardConfig
from training.methods.learner import Terms
from training.methods.method import Batch
from training.methods.munit.config import MunitConfig
from training.methods.munit.translators import translators
from training.parallel.processes import Processes


class Munit(EncoderDecoder):
    """Two generators, two multi-scale discriminators, and the training step."""

    def __init__(
        self,
        config: MunitConfig,
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
        generators = {domain: MunitGenerator(config.generator) for domain in OTHER}
        super().__init__(config, generators, speed=speed, guard=guard, processes=processes)

    def fakes(self, real: Batch) -> dict[str, Tensor]:
        """Return translations in random styles."""
        styles = self._random_styles(real)
        contents: dict[str, Tensor] = {
            domain: self.forward(f"gen_{domain}", real[domain], via="content_encoder") for domain in OTHER
        }
        return {
            domain: self._decode(domain, contents[other], styles[domain]) for domain, other in OTHER.items()
        }

    def generator_objective(self, real: Batch) -> Terms:
        """Return the loss terms of both generators, from pictures `[B, 3, S, S]` of both domains."""
        styles = self._random_styles(real)
        codes = {domain: self._encode(domain, real[domain]) for domain in OTHER}
        own, fakes = {}, {}
        for domain, other in OTHER.items():
            # One pass decodes the domain's own pictures in their styles and the translations into it.
            content = torch.cat([codes[domain].content, codes[other].content])
            both = self._decode(domain, content, torch.cat([codes[domain].style, styles[domain]]))
            own[domain], fakes[domain] = both.chunk(2)
        again = {domain: self._encode(domain, fakes[domain]) for domain in OTHER}
        terms = self.adversarial_terms(fakes)
        for domain, other in OTHER.items():
            terms[f"G_recon_{domain}"] = l1_loss(own[domain], real[domain])
            terms[f"G_style_{domain}"] = l1_loss(again[domain].style, styles[domain])
            # The translation of a picture of `domain` looks like `other`, whose encoder encodes it.
            terms[f"G_content_{domain}"] = l1_loss(again[other].content, codes[domain].content)
            if self.config.weights.cycle:
                cycle = self._decode(domain, again[other].content, codes[domain].style)
                terms[f"G_cycle_{domain}"] = l1_loss(cycle, real[domain])
        return terms

    def _encode(self, domain: str, pictures: Tensor) -> Codes:
        codes: Codes = self.forward(f"gen_{domain}", pictures, via="encode")
        return codes

    def _decode(self, domain: str, content: Tensor, style: Tensor) -> Tensor:
        image: Tensor = self.forward(f"gen_{domain}", content, style, via="decode")
        return image

    def _random_styles(self, real: Batch) -> dict[str, Tensor]:
        """Return a style code `[B, S]` from the prior N(0, 1) of each domain for every picture."""
        dimension = self.config.generator.style
        return {domain: self.normal(len(real[domain]), dimension, like=real[domain]) for domain in OTHER}

    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> Sequence[Translator]:
        """Return the translator of both directions."""
        return translators(self.networks if networks is None else networks, size=self.size)

    def weight(self, family: str) -> float:
        """Return the weight of a family of terms."""
        weights = self.config.weights
        named = {
            "G_recon": weights.reconstruction,
            "G_style": weights.style,
            "G_content": weights.content,
            "G_cycle": weights.cycle,
        }
        return named.get(family, weights.adversarial)
