"""CycleGAN: two generators, two discriminators with image pools, one training step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.optim import Adam

from models.networks.cyclegan import CycleganGenerator, cyclegan_discriminator
from models.networks.translation import Translation
from training.checkpoint.content import Packed, join_groups, split_group
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.export.translator import Translator
from training.methods.base import NetworkMethod
from training.methods.cyclegan.config import CycleganConfig
from training.methods.cyclegan.losses import l1_loss, least_squares
from training.methods.cyclegan.translators import DIRECTIONS, translators
from training.methods.finite_updates import GuardConfig
from training.methods.freeze import frozen_parameters
from training.methods.image_pool import ImagePool
from training.methods.initialization import initialize
from training.methods.learner import Terms
from training.methods.method import Batch
from training.methods.progress import Progress
from training.parallel.processes import Processes


class Cyclegan(NetworkMethod):
    """The networks, their optimizers, the image pools and the training step.

    Generators are named by their direction (`genA2B`), discriminators by the domain that they judge (`disB`).
    A term is named by the domain of the pictures that it is about: `G_adv_B` judges translations to B, and
    `G_identity_B` compares pictures of B with their identity.
    """

    def __init__(
        self,
        config: CycleganConfig,
        *,
        size: int,
        speed: ComputeSettings = UNOPTIMIZED,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> None:
        """
        Args:
            config: networks, objective, image pools and optimizers.
            size: the side of the training pictures in pixels.
            speed: the compute settings.
            guard: limits that decide which updates are skipped; None for the default limits.
            processes: the processes that train together, each on its own batch with its own image pools;
                None for this process alone.
        """
        self.config, self.size = config, size
        self.generators = {
            f"gen{source}2{target}": CycleganGenerator(config.generator) for source, target in DIRECTIONS
        }
        self.discriminators = {
            f"dis{target}": cyclegan_discriminator(config.discriminator) for _, target in DIRECTIONS
        }
        self.pools = {target: ImagePool(config.pool) for _, target in DIRECTIONS}
        networks: dict[str, nn.Module] = {**self.generators, **self.discriminators}
        initialize(networks.values(), config.initialization)
        super().__init__(networks, speed=speed)
        optimizers = {
            "generators": self._adam(self.generators.values()),
            "discriminators": self._adam(self.discriminators.values()),
        }
        self.learn(optimizers, guard=guard, processes=processes)

    def learning_rates(self, progress: Progress) -> float:
        """Return the learning rate of both optimizers."""
        return self.config.learning_rate_at(progress.done)

    def update(self, micro_batches: Sequence[Mapping[str, Tensor]], _: Progress, /) -> Terms:
        """Update the generators, then the discriminators; return the mean of every term.

        The discriminators learn from the translations of the generators before their update.
        """
        for pool in self.pools.values():
            pool.begin()
        fakes: list[dict[str, Tensor]] = []
        with frozen_parameters(self.discriminators.values()):
            objectives = [partial(self.generator_objective, real, fakes) for real in micro_batches]
            generator_means = self.minimize("generators", objectives)
        judged: list[Callable[[], Terms]] = [
            partial(self.discriminator_objective, real, fake)
            for real, fake in zip(micro_batches, fakes, strict=True)
        ]
        return {**generator_means, **self.minimize("discriminators", judged)}

    def generator_objective(self, real: Batch, fakes: list[dict[str, Tensor]]) -> Terms:
        """Return the loss terms of both generators, and append the translations by domain to `fakes`."""
        terms: Terms = {}
        fake: dict[str, Tensor] = {}
        for source, target in DIRECTIONS:
            # The translation of the source and the identity of the target, computed in one pass.
            pictures = torch.cat([real[source], real[target]])
            both = self._translate(source, target, pictures)
            fake[target], identity = both.chunk(2)  # [B, 3, S, S] each
            logits = self.forward(f"dis{target}", fake[target])  # [B, 1, h, w]
            terms[f"G_adv_{target}"] = least_squares(logits, 1)
            if self.config.weights.identity:
                terms[f"G_identity_{target}"] = l1_loss(identity, real[target])
        for source, target in DIRECTIONS:
            again = self._translate(target, source, fake[target])
            terms[f"G_cycle_{source}"] = l1_loss(again, real[source])
        fakes.append({domain: each.detach() for domain, each in fake.items()})
        return terms

    def _translate(self, source: str, target: str, pictures: Tensor) -> Tensor:
        """Return translations `[B, 3, S, S]` from one domain to the other."""
        output: Translation = self.forward(f"gen{source}2{target}", pictures)
        return output.image

    def discriminator_objective(self, real: Batch, fake: Mapping[str, Tensor]) -> Terms:
        """Return the loss terms of both discriminators; the fake pictures pass through the image pools."""
        terms: Terms = {}
        for domain, pool in self.pools.items():
            (shown,) = pool.query(fake[domain])
            both = self.forward(f"dis{domain}", torch.cat([real[domain], shown]))
            of_real, of_fake = both.chunk(2)  # [B, 1, h, w] each
            terms[f"D_real_{domain}"] = least_squares(of_real, 1)
            terms[f"D_fake_{domain}"] = least_squares(of_fake, 0)
        return terms

    def weight(self, family: str) -> float:
        """Return the weight of a family of adversarial terms."""
        weights = self.config.weights
        return weights.adversarial if family == "G_adv" else weights.discriminator

    def term_weight(self, term: str) -> float:
        """Return the weight of one term: each domain has a cycle weight of its own."""
        weights = self.config.weights
        named = {
            "G_cycle_A": weights.cycle_a,
            "G_cycle_B": weights.cycle_b,
            "G_identity_A": weights.identity * weights.cycle_a,
            "G_identity_B": weights.identity * weights.cycle_b,
        }
        return named[term] if term in named else super().term_weight(term)

    @property
    def averaged_networks(self) -> list[str]:
        """The names of the generators."""
        return list(self.generators)

    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> list[Translator]:
        """Return the translators of these networks, or of the method's own."""
        return translators(self.networks if networks is None else networks, size=self.size)

    @torch.no_grad()
    def answers_to_real(self, batch: Batch) -> dict[str, float]:
        """Return the mean logit of each discriminator for pictures of its domain, by the domain."""
        return {domain: float(self.forward(f"dis{domain}", batch[domain]).mean()) for domain in self.pools}

    def undo(self) -> None:
        """Remove the translations of a step with a skipped update from the pools."""
        for pool in self.pools.values():
            pool.undo()

    def extra_state(self) -> Packed:
        """Return the pictures in the pools."""
        return Packed(join_groups({domain: pool.state() for domain, pool in self.pools.items()}), {})

    def load_extra_state(self, state: Packed) -> None:
        """Restore the pictures in the pools."""
        for domain, pool in self.pools.items():
            pool.load_state(split_group(state.tensors, domain))

    def _adam(self, networks: Iterable[nn.Module]) -> Adam:
        parameters = [parameter for network in networks for parameter in network.parameters()]
        return Adam(
            parameters,
            lr=self.config.learning_rate,
            betas=self.config.betas,
            fused=self.speed.fused_adam or None,
        )
