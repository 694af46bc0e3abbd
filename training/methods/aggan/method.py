"""AGGAN (Mejjati et al., NeurIPS 2018): two masked generators, two discriminators, one training step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from models.networks.aggan import AgganDiscriminator, AgganGenerator
from models.networks.translation import Translation
from training.checkpoint.content import Packed, join_groups, split_group
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.export.translator import Translator
from training.methods.aggan.adam import SharedAdam
from training.methods.aggan.config import AgganConfig
from training.methods.aggan.losses import discriminator_loss, least_squares, visible
from training.methods.aggan.translators import DIRECTIONS, translators
from training.methods.base import NetworkMethod
from training.methods.finite_updates import GuardConfig
from training.methods.freeze import frozen_parameters
from training.methods.image_pool import ImagePool
from training.methods.learner import Terms
from training.methods.method import Batch
from training.methods.progress import Progress
from training.parallel.processes import Processes

DEVIATION: Final = 0.02
"""Of the first kernels around 0 and of the first scales around 1; no draw is farther than two deviations."""


class Judged(NamedTuple):
    """What a discriminator judges, without gradients."""

    real: Tensor  # pictures of its domain, [B, 3, H, W]
    real_mask: Tensor  # their masks, [B, H, W]
    fake: Tensor  # translations into its domain, [B, 3, H, W]
    fake_mask: Tensor  # the masks of the translated pictures, [B, H, W]


class Aggan(NetworkMethod):
    """The networks, their optimizers and the training step.

    Generators are named by their direction (`genA2B`), discriminators by the domain whose pictures they judge
    (`disB`). Each has its own optimizer; together they are the official code's one Adam.
    """

    def __init__(
        self,
        config: AgganConfig,
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
        self.generators = {
            f"gen{source}2{target}": AgganGenerator(config.generator) for source, target in DIRECTIONS
        }
        self.judges = {target: f"dis{target}" for _, target in DIRECTIONS}
        self.discriminators = {
            name: AgganDiscriminator(config.discriminator) for name in self.judges.values()
        }
        self.pools = {target: ImagePool(config.pool) for target in self.judges}
        self.switched = False
        """Whether the last step was in the second phase."""
        networks: dict[str, nn.Module] = {**self.generators, **self.discriminators}
        draw_first_weights(networks.values())
        super().__init__(networks, speed=speed)
        order = [name for source, target in DIRECTIONS for name in (f"gen{source}2{target}", f"dis{target}")]
        optimizers = {name: self._adam(name, order.index(name), len(order)) for name in order}
        self.learn(optimizers, guard=guard, processes=processes)

    def learning_rates(self, progress: Progress) -> float:
        """Return the learning rate of all optimizers."""
        return self.config.learning_rate_at(progress)

    def update(self, micro_batches: Sequence[Mapping[str, Tensor]], progress: Progress) -> Terms:
        """Update, for each direction, its generator and then the discriminator of its target domain."""
        self.switched = self.config.is_switched(progress)
        means: Terms = {}
        for pool in self.pools.values():
            pool.begin()
        for source, target in DIRECTIONS:
            judged: list[Judged] = []
            means |= self._update_generator(micro_batches, source, target, judged)
            means |= self._update_discriminator(target, judged)
        return means

    def _update_generator(
        self, micro_batches: Sequence[Mapping[str, Tensor]], source: str, target: str, judged: list[Judged]
    ) -> Terms:
        """Update the generator of a direction, and add what the discriminator of its target will judge."""

        def objective(real: Mapping[str, Tensor]) -> Terms:
            terms, seen = self.generator_objective(real, source=source, target=target)
            judged.append(seen)
            return terms

        generator = f"gen{source}2{target}"
        with frozen_parameters(self._frozen_beside(generator)):
            return self.minimize(generator, [partial(objective, real) for real in micro_batches])

    def _update_discriminator(self, domain: str, judged: Sequence[Judged]) -> Terms:
        """Update the discriminator of a domain."""
        objectives = [partial(self.discriminator_objective, domain, each) for each in judged]
        return self.minimize(self.judges[domain], objectives)

    def generator_objective(
        self, real: Mapping[str, Tensor], *, source: str, target: str
    ) -> tuple[Terms, Judged]:
        """Return the loss terms of the generator of a direction, and what its discriminator will judge.

        Both cycles pass through this generator. The other one keeps its weights, so its translations need no
        gradients.
        """
        forth, back = f"gen{source}2{target}", f"gen{target}2{source}"
        fake, mask = self.translate(forth, real[source])  # [B, 3, H, W], [B, H, W]
        with torch.no_grad():
            other_fake, other_mask = self.translate(back, real[target])
        terms = {
            f"G_cycle_{source}": l1_loss(self.translate(back, fake)[0], real[source]),
            f"G_cycle_{target}": l1_loss(self.translate(forth, other_fake)[0], real[target]),
            f"G_adv_{target}": least_squares(self._judge(target, fake, mask), 1),
        }
        return terms, Judged(real[target], other_mask, fake.detach(), mask.detach())

    def discriminator_objective(self, domain: str, judged: Judged) -> Terms:
        """Return the loss term of the discriminator of a domain, whose translations pass the pool."""
        real, real_mask, *new = judged
        fake, fake_mask = self.pools[domain].query(*new)
        logits = self._judge(domain, torch.cat([real, fake]), torch.cat([real_mask, fake_mask]))
        return {f"D_adv_{domain}": discriminator_loss(*logits.chunk(2))}

    def translate(self, generator: str, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Return the translations of pictures `[B, 3, H, W]`, and their masks `[B, H, W]`."""
        translation: Translation = self.forward(generator, pictures)
        assert translation.attention is not None
        return translation.image, translation.attention

    def _judge(self, domain: str, pictures: Tensor, mask: Tensor) -> Tensor:
        """Return a discriminator's logits `[B, 1, h, w]` for pictures `[B, 3, H, W]` in the current phase."""
        seen = visible(pictures, mask, self.config.threshold if self.switched else 0)
        via = "without_norms" if self.switched else None
        logits: Tensor = self.forward(self.judges[domain], seen, via=via)
        return logits

    def _frozen_beside(self, generator: str) -> list[nn.Module]:
        """Return what keeps its weights while a generator is updated."""
        others = [network for name, network in self.networks.items() if name != generator]
        return [*others, self.generators[generator].attention] if self.switched else others

    @property
    def averaged_networks(self) -> list[str]:
        """The names of the generators, which translate."""
        return list(self.generators)

    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> list[Translator]:
        """Return the translator of each direction that these networks can translate."""
        return translators(self.networks if networks is None else networks, size=self.size)

    @torch.no_grad()
    def answers_to_real(self, batch: Batch) -> dict[str, float]:
        """Return the mean logit of each discriminator for whole pictures of its domain."""
        everything = {domain: torch.ones_like(batch[domain][:, 0]) for domain in self.judges}
        return {
            domain: float(self._judge(domain, batch[domain], everything[domain]).mean())
            for domain in self.judges
        }

    def weight(self, family: str) -> float:
        """Return the weight of a family of terms."""
        return self.config.weights.cycle if family == "G_cycle" else self.config.weights.adversarial

    def undo(self) -> None:
        """Take the translations of this step out of the pools."""
        for pool in self.pools.values():
            pool.undo()

    def extra_state(self) -> Packed:
        """Return the pools."""
        tensors = join_groups({domain: pool.state() for domain, pool in self.pools.items()})
        return Packed(tensors, {})

    def load_extra_state(self, state: Packed) -> None:
        """Restore the pools."""
        for domain, pool in self.pools.items():
            pool.load_state(split_group(state.tensors, domain))

    def _adam(self, name: str, position: int, objectives: int) -> SharedAdam:
        return SharedAdam(
            list(self.networks[name].parameters()),
            position=position,
            objectives=objectives,
            learning_rate=self.config.learning_rate,
            betas=self.config.betas,
            fused=self.speed.fused_adam or None,
        )


def l1_loss(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference, a scalar."""
    return (output - target).abs().mean()


@torch.no_grad()
def draw_first_weights(networks: Iterable[nn.Module]) -> None:
    """Draw kernels around 0 and the scales of normalisations around 1, as the official code does."""
    for network in networks:
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                _draw(module.weight, 0)
                assert module.bias is not None
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.InstanceNorm2d):
                _draw(module.weight, 1)
                nn.init.zeros_(module.bias)


def _draw(values: Tensor, mean: float) -> None:
    reach = 2 * DEVIATION
    nn.init.trunc_normal_(values, mean, DEVIATION, mean - reach, mean + reach)
