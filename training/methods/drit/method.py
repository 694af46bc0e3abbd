"""DRIT (Lee et al., ECCV 2018): shared contents, attributes of each domain, five discriminators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import torch
from torch import Tensor, nn

from models.networks.drit.discriminators import content_discriminator, image_discriminator
from models.networks.drit.encoders import Attribute, AttributeEncoder, ContentEncoder
from models.networks.drit.generator import DritGenerator
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.export.translator import Translator
from training.methods.base import NetworkMethod
from training.methods.drit.config import DritConfig
from training.methods.drit.losses import (
    adversarial_loss,
    attribute_norm,
    cross_entropy,
    l1_loss,
    mean_square,
    mode_seeking_loss,
)
from training.methods.drit.passes import Networks, Passes, draw, encode_contents, run_passes, split_pictures
from training.methods.drit.translators import ATTRIBUTE, CONTENT, DOMAINS, GENERATOR, translators
from training.methods.finite_updates import GuardConfig
from training.methods.freeze import frozen_parameters
from training.methods.initialization import STANDARD_DEVIATION
from training.methods.learner import Terms
from training.methods.method import Batch
from training.methods.progress import Progress
from training.parallel.processes import Processes

ENCODED: Final = {domain: f"dis{domain}" for domain in DOMAINS}
"""The discriminators of pictures with encoded attributes, by domain."""
RANDOM: Final = {domain: f"dis{domain}2" for domain in DOMAINS}
"""The discriminators of pictures with drawn attributes, by domain."""
JUDGE_OF_CONTENT: Final = "disContent"


class Drit(NetworkMethod):
    """The networks, their optimizers and the training step. Each network has its own optimizer."""

    def __init__(
        self,
        config: DritConfig,
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
            processes: the processes that train together, each on its own batch; None for this process alone.
        """
        self.config = config
        self.size = size
        self.draw = draw
        shapes = config.networks
        networks: dict[str, nn.Module] = {
            CONTENT: ContentEncoder(shapes, DOMAINS),
            ATTRIBUTE: AttributeEncoder(shapes, DOMAINS),
            GENERATOR: DritGenerator(shapes, DOMAINS),
            **{
                names[domain]: image_discriminator(shapes)
                for domain in DOMAINS
                for names in (ENCODED, RANDOM)
            },
            JUDGE_OF_CONTENT: content_discriminator(shapes),
        }
        draw_first_kernels(networks.values())
        super().__init__(networks, speed=speed)
        optimizers = {name: self._adam(network) for name, network in self.networks.items()}
        self.learn(optimizers, guard=guard, processes=processes)

    def learning_rates(self, progress: Progress) -> dict[str, float]:
        """Return the learning rate of each network."""
        factor = self.config.decay_at(progress)
        return {name: factor * self._first_rate(name) for name in self.networks}

    def _first_rate(self, name: str) -> float:
        content = name == JUDGE_OF_CONTENT
        return self.config.content_learning_rate if content else self.config.learning_rate

    def update(self, micro_batches: Sequence[Mapping[str, Tensor]], progress: Progress) -> Terms:
        """Update all discriminators, then encoders and generator; or only the content discriminator."""
        if self.config.is_content_only(progress):
            return self._update_content_judge([self._contents(batch) for batch in micro_batches])
        passes = [self.passes(batch) for batch in micro_batches]
        means = self._update_judges(passes)
        with frozen_parameters(self._judges()):
            return means | self.update_generator(passes)

    def update_generator(self, passes: Sequence[Passes]) -> Terms:
        """Update the encoders and the generator in two phases, whose gradients are taken before any update.

        The second phase, of drawn attributes, does not update the attribute encoder. The official code takes
        its gradients through weights that the first phase has already changed, which torch refuses today.
        """
        count = len(passes)
        second = {name: list(self.networks[name].parameters()) for name in (CONTENT, GENERATOR)}
        parameters = [each for part in second.values() for each in part]
        sums: list[Tensor] | None = None
        terms1, terms2 = [], []
        for each in passes:
            terms = self.random_objective(each)
            gradients = torch.autograd.grad(self.weighted_sum(terms) / count, parameters, retain_graph=True)
            sums = list(gradients) if sums is None else [a + b for a, b in zip(sums, gradients, strict=True)]
            terms2.append({name: term.detach() for name, term in terms.items()})
            terms1.append(self.learner.backward(self.encoded_objective(each), micro_batches=count))
        means: Terms = {}
        for name in (CONTENT, ATTRIBUTE, GENERATOR):
            means |= self.learner.update(name, terms1)
        assert sums is not None
        for parameter, gradient in zip(parameters, sums, strict=True):
            parameter.grad = gradient
        for name in second:
            means |= self.learner.update(name, terms2)
        return means

    def encoded_objective(self, passes: Passes) -> Terms:
        """Return the terms of the first phase: of encoded attributes."""
        terms: Terms = {}
        for domain in DOMAINS:
            logits = self.judge(ENCODED[domain], passes.fake[domain])
            content = passes.content[domain]
            terms |= {
                f"G_adv_{domain}": adversarial_loss(logits, 1),
                f"G_content_{domain}": cross_entropy(self.judge_content(content), 0.5),
                f"G_self_{domain}": l1_loss(passes.own[domain], passes.encoded[domain]),
                f"G_cycle_{domain}": l1_loss(passes.recon[domain], passes.encoded[domain]),
                f"G_content_norm_{domain}": mean_square(content),
                f"G_attribute_norm_{domain}": attribute_norm(passes.attribute[domain]),
            }
        return terms

    def random_objective(self, passes: Passes) -> Terms:
        """Return the terms of the second phase: of drawn attributes."""
        terms: Terms = {}
        for domain in DOMAINS:
            fakes = [passes.fake_random[domain]]
            if passes.other_code is not None:
                fakes.append(passes.fake_other[domain])
                codes = (passes.code, passes.other_code)
                terms[f"G_mode_{domain}"] = mode_seeking_loss(fakes[0], fakes[1], codes)
            answers = [adversarial_loss(self.judge(RANDOM[domain], fake), 1) for fake in fakes]
            terms[f"G_adv_random_{domain}"] = torch.stack(answers).sum()
            found = self._attribute(passes.fake_random[domain], domain).mean  # [B, d]
            terms[f"G_latent_{domain}"] = l1_loss(found, passes.code)
        return terms

    def _update_judges(self, passes: Sequence[Passes]) -> Terms:
        """Update the image discriminators, one after the other, and the content discriminator."""
        means: Terms = {}
        for domain in DOMAINS:
            means |= self.minimize(
                ENCODED[domain], [partial(self.encoded_judge_objective, domain, each) for each in passes]
            )
            means |= self.minimize(
                RANDOM[domain], [partial(self.random_judge_objective, domain, each) for each in passes]
            )
        contents = [_detached(each.content) for each in passes]
        return means | self._update_content_judge(contents)

    def encoded_judge_objective(self, domain: str, passes: Passes) -> Terms:
        """Return the term of a domain's discriminator of pictures with encoded attributes."""
        loss = self._judged(ENCODED[domain], passes.encoded[domain], [passes.fake[domain]])
        return {f"D_adv_{domain}": loss}

    def random_judge_objective(self, domain: str, passes: Passes) -> Terms:
        """Return the term of a domain's discriminator of pictures with drawn attributes."""
        fakes = [passes.fake_random[domain]]
        fakes += [passes.fake_other[domain]] if passes.fake_other else []
        return {f"D_adv_random_{domain}": self._judged(RANDOM[domain], passes.random[domain], fakes)}

    def _judged(self, name: str, real: Tensor, fakes: Sequence[Tensor]) -> Tensor:
        """Return the loss of an image discriminator; each fake is weighed against the real pictures."""
        logits = self.judge(name, torch.cat([real, *(fake.detach() for fake in fakes)]))
        count = len(real)
        of_real = adversarial_loss([each[:count] for each in logits], 1)
        of_fakes = [
            adversarial_loss([each[at : at + count] for each in logits], 0)
            for at in range(count, count * (len(fakes) + 1), count)
        ]
        return len(fakes) * of_real + torch.stack(of_fakes).sum()

    def _update_content_judge(self, contents: Sequence[Mapping[str, Tensor]]) -> Terms:
        """Update the content discriminator by contents of both domains, without gradients."""
        count = len(contents)
        collected = [
            self.learner.backward(self.content_judge_objective(each), micro_batches=count)
            for each in contents
        ]
        largest = self.config.largest_content_norm
        return self.learner.update(JUDGE_OF_CONTENT, collected, largest_norm=largest)

    def content_judge_objective(self, content: Mapping[str, Tensor]) -> Terms:
        """Return the term of the content discriminator: contents of the first domain are 0, others 1."""
        losses = [
            cross_entropy(self.judge_content(content[each]), label) for label, each in enumerate(DOMAINS)
        ]
        return {"D_content_AB": torch.stack(losses).sum()}

    def judge(self, name: str, pictures: Tensor) -> list[Tensor]:
        """Return an image discriminator's logits of each scale."""
        logits: list[Tensor] = self.forward(name, pictures)
        return logits

    def judge_content(self, content: Tensor) -> Tensor:
        """Return the content discriminator's logits."""
        logits: Tensor = self.forward(JUDGE_OF_CONTENT, content)
        return logits

    def _judges(self) -> list[nn.Module]:
        ours = (CONTENT, ATTRIBUTE, GENERATOR)
        return [network for name, network in self.networks.items() if name not in ours]

    def passes(self, batch: Mapping[str, Tensor]) -> Passes:
        """Return the passes of a batch."""
        encoded, random = split_pictures(batch, DOMAINS)
        return run_passes(
            encoded,
            random,
            self._functions(),
            DOMAINS,
            self.draw,
            style=self.config.networks.style,
            mode_seeking=self.config.weights.mode_seeking > 0,
        )

    @torch.no_grad()
    def _contents(self, batch: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        encoded, _ = split_pictures(batch, DOMAINS)
        return encode_contents(encoded, self._functions(), DOMAINS, self.draw)

    def _functions(self) -> Networks:
        return Networks(self._content, self._attribute, self._generate)

    def _content(self, pictures: Tensor, domain: str) -> Tensor:
        content: Tensor = self.forward(CONTENT, pictures, domain)
        return content

    def _attribute(self, pictures: Tensor, domain: str) -> Attribute:
        attribute: Attribute = self.forward(ATTRIBUTE, pictures, domain)
        return attribute

    def _generate(self, content: Tensor, code: Tensor, domain: str) -> Tensor:
        pictures: Tensor = self.forward(GENERATOR, content, code, domain)
        return pictures

    @property
    def averaged_networks(self) -> list[str]:
        """The names of the networks that translate, with a drawn attribute or that of a picture."""
        return [CONTENT, ATTRIBUTE, GENERATOR]

    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> list[Translator]:
        """Return the translator of each direction that these networks can translate."""
        return translators(self.networks if networks is None else networks, self.config.networks, self.size)

    @torch.no_grad()
    def answers_to_real(self, batch: Batch) -> dict[str, float]:
        """Return the mean answer of each image discriminator, over its scales."""
        return {
            names[domain][3:]: float(
                torch.stack(
                    [each.sigmoid().mean() for each in self.judge(names[domain], batch[domain])]
                ).mean()
            )
            for names in (ENCODED, RANDOM)
            for domain in DOMAINS
        }

    def weight(self, family: str) -> float:
        """Return the weight of a family of terms."""
        weights = self.config.weights
        return {
            "G_content": weights.content_adversarial,
            "G_self": weights.self_reconstruction,
            "G_cycle": weights.cross_cycle,
            "G_content_norm": weights.content_norm,
            "G_attribute_norm": weights.attribute_norm,
            "G_latent": weights.latent_regression,
            "G_mode": weights.mode_seeking,
            "G_adv": weights.adversarial,
            "G_adv_random": weights.adversarial,
        }.get(family, 1.0)

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        return torch.optim.Adam(
            network.parameters(),
            lr=self.config.learning_rate,
            betas=self.config.betas,
            weight_decay=self.config.weight_decay,
            fused=self.speed.fused_adam or None,
        )


def _detached(contents: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {domain: content.detach() for domain, content in contents.items()}


@torch.no_grad()
def draw_first_kernels(networks: Iterable[nn.Module]) -> None:
    """Draw the kernels of convolutions from N(0, 0.02); biases and linear layers stay as torch draws them."""
    for network in networks:
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.normal_(module.weight, 0, STANDARD_DEVIATION)
