"""The discriminators, the optimizers and the order of the updates of UNIT and MUNIT."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import torch
from torch import Tensor, nn

from models.networks.unit import scales_discriminator
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.methods.base import NetworkMethod
from training.methods.encoder_decoder.config import EncoderDecoderConfig
from training.methods.finite_updates import GuardConfig
from training.methods.freeze import frozen_parameters
from training.methods.initialization import initialize, initialize_kaiming
from training.methods.learner import Terms
from training.methods.method import Batch
from training.methods.progress import Progress
from training.parallel.processes import Processes

OTHER: Final = {"A": "B", "B": "A"}
"""The other domain of each."""


class EncoderDecoder(NetworkMethod):
    """Two domains, each with a generator that encodes and decodes, and with discriminators at several scales.

    Networks are named by their domain: `gen_A`, `dis_A`. Pictures and codes are keyed by domain; a
    translation by the domain that it should look like.
    """

    def __init__(
        self,
        config: EncoderDecoderConfig,
        generators: Mapping[str, nn.Module],
        *,
        speed: ComputeSettings = UNOPTIMIZED,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> None:
        """
        Args:
            config: discriminators and optimizers.
            generators: by domain.
            speed: the compute settings.
            guard: limits that decide which updates are skipped; None for the default limits.
            processes: the processes that train together; None for this process alone.
        """
        self.shared_config = config
        self.generators = {f"gen_{domain}": generator for domain, generator in generators.items()}
        self.discriminators: dict[str, nn.Module] = {
            f"dis_{domain}": scales_discriminator(config.discriminator) for domain in generators
        }
        initialize_kaiming(self.generators.values())
        initialize(self.discriminators.values(), "normal")
        super().__init__({**self.generators, **self.discriminators}, speed=speed)
        optimizers = {
            "generators": self._adam(self.generators.values()),
            "discriminators": self._adam(self.discriminators.values()),
        }
        self.learn(optimizers, guard=guard, processes=processes)

    def learning_rates(self, progress: Progress) -> float:
        """Return the learning rate of both optimizers."""
        return self.shared_config.learning_rate_at(progress)

    def update(self, micro_batches: Sequence[Batch], _: Progress, /) -> Terms:
        """Update the discriminators, then the generators; return the mean of every term."""
        discriminator_means = self.minimize(
            "discriminators", [partial(self.discriminator_objective, real) for real in micro_batches]
        )
        # The generators' terms see the updated discriminators, which collect no gradients here.
        with frozen_parameters(self.discriminators.values()):
            generator_means = self.minimize(
                "generators", [partial(self.generator_objective, real) for real in micro_batches]
            )
        return {**discriminator_means, **generator_means}

    @abstractmethod
    def fakes(self, real: Batch) -> dict[str, Tensor]:
        """Return translations into each domain, for the discriminators; a draw of their own."""

    @abstractmethod
    def generator_objective(self, real: Batch) -> Terms:
        """Return the loss terms of both generators, from pictures `[B, 3, S, S]` of both domains."""

    def discriminator_objective(self, real: Batch) -> Terms:
        """Return the loss terms of the discriminators, from pictures `[B, 3, S, S]` of both domains."""
        with torch.no_grad():
            fakes = self.fakes(real)
        return {
            f"D_adv_{domain}": self._discriminator_loss(f"dis_{domain}", real[domain], fakes[domain])
            for domain in OTHER
        }

    def _discriminator_loss(self, discriminator: str, real: Tensor, fake: Tensor) -> Tensor:
        """Return the least-squares loss summed over scales; one pass judges real and fake pictures."""
        logits: list[Tensor] = self.forward(discriminator, torch.cat([real, fake]))  # [2B, 1, h, w] each
        losses = [
            least_squares(of_real, 1) + least_squares(of_fake, 0)
            for of_real, of_fake in (logit.chunk(2) for logit in logits)
        ]
        return torch.stack(losses).sum()

    def adversarial_terms(self, fakes: Mapping[str, Tensor]) -> Terms:
        """Return the generators' terms against the discriminators: translations aim at 1 at every scale."""
        return {
            f"G_adv_{domain}": torch.stack(
                [least_squares(logit, 1) for logit in self.forward(f"dis_{domain}", fake)]
            ).sum()
            for domain, fake in fakes.items()
        }

    def normal(self, *shape: int, like: Tensor) -> Tensor:
        """Return draws from N(0, 1) on a tensor's device; a checkpoint holds the state of their generator."""
        return torch.randn(shape).to(like.device)

    @property
    def averaged_networks(self) -> list[str]:
        """The names of the generators, which translate."""
        return list(self.generators)

    @torch.no_grad()
    def answers_to_real(self, batch: Batch) -> dict[str, float]:
        """Return the mean logit of each domain's discriminators over their scales, for its pictures."""
        answers = {}
        for domain in OTHER:
            logits = self.forward(f"dis_{domain}", batch[domain])
            answers[domain] = float(torch.stack([logit.mean() for logit in logits]).mean())
        return answers

    def _adam(self, networks: Iterable[nn.Module]) -> torch.optim.Adam:
        parameters: list[Any] = [each for network in networks for each in network.parameters()]
        return torch.optim.Adam(
            parameters,
            lr=self.shared_config.learning_rate,
            betas=self.shared_config.betas,
            weight_decay=self.shared_config.weight_decay,
            fused=self.speed.fused_adam or None,
        )


def least_squares(logit: Tensor, label: float) -> Tensor:
    """Return the mean squared distance of logits from their label, a scalar (LSGAN, Mao et al. 2017)."""
    return (logit - label).square().mean()


def l1_loss(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean absolute difference, a scalar."""
    return (one - other).abs().mean()
