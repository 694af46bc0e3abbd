"""U-GAT-IT (Kim et al., ICLR 2020): two generators, four discriminators, one training step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from models.networks.discriminator import Discriminator, DiscriminatorOutput
from models.networks.generator import Generator, GeneratorOutput
from models.networks.normalization import LIN, AdaLIN
from training.config.compute_settings import ComputeSettings
from training.methods.batch_parts import halves, split
from training.methods.finite_updates import GuardConfig
from training.methods.frozen import frozen, standing_still
from training.methods.initialization import initialize, parameter_groups
from training.methods.learner import Learner
from training.methods.method import Column
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.losses import Terms, adversarial_terms, cam_loss, discriminator_terms
from training.methods.ugatit.sample_columns import columns, difference
from training.parallel.processes import Processes

DOMAINS: Final = ("A", "B")
DEPTHS: Final = ("G", "L")
"""Global and local, as the discriminators are called."""

PLAIN: Final = ComputeSettings()
"""Every layer as its module says."""


class Ugatit:
    """The networks, their optimizers and the step."""

    def __init__(
        self,
        config: UgatitConfig,
        *,
        speed: ComputeSettings = PLAIN,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> None:
        """
        Args:
            config: what is learned.
            speed: how it is computed; by default as it is written, in full precision.
            guard: which updates are skipped because they are not finite.
            processes: who learns together, each from its own batch; None for this one alone.
        """
        self.config = config
        self.speed = speed
        self.generators = {
            "genA2B": Generator(config.generator),
            "genB2A": Generator(config.generator),
        }
        self.discriminators = {
            f"dis{depth}{domain}": Discriminator(
                config.global_discriminator if depth == "G" else config.local_discriminator
            )
            for depth in DEPTHS
            for domain in DOMAINS
        }
        initialize(self.networks.values(), config.initialization)
        for network in self.networks.values():
            speed.prepare(network)
        self._compiled = (
            {name: torch.compile(network) for name, network in self.networks.items()} if speed.compile else {}
        )
        optimizers = {
            "generators": self._adam(self.generators.values()),
            "discriminators": self._adam(self.discriminators.values()),
        }
        self.learner = Learner(optimizers, self.weighted, guard=guard, processes=processes)

    @property
    def networks(self) -> dict[str, nn.Module]:
        """All networks by name."""
        return {**self.generators, **self.discriminators}

    @property
    def optimizers(self) -> dict[str, Optimizer]:
        """Both optimizers by name."""
        return self.learner.optimizers

    def step(self, batch: Mapping[str, Tensor], progress: float, *, parts: int = 1) -> Terms:
        """Learn from one batch.

        Args:
            batch: `A` and `B`, each `[N, 3, S, S]` in [-1, 1].
            progress: the share of the training that is done, 0 to 1.
            parts: how many equal parts the batch goes through the networks in. It takes the memory of one,
                and learns what the whole would, to rounding; all parts but the first are translated twice.

        Returns:
            Every term of the objective before its weight, detached: the mean over all processes. Where an
            update was skipped, `learner.skipped` says so.
        """
        batch = {domain: self.speed.lay_out(pictures) for domain, pictures in batch.items()}
        rate = self.config.learning_rate_at(progress)
        with self.learner.step(self.networks.values(), learning_rate=rate):
            terms = self._learn(*split(batch, parts))
            self.clip_rho()
        return terms

    def _learn(self, first: Mapping[str, Tensor], *others: Mapping[str, Tensor]) -> Terms:
        """Update the discriminators, then the generators, by all parts of a batch."""
        parts = 1 + len(others)

        # Translate once. What the discriminators learn from is what the generators are then judged by.
        translations, identities = self.translate_all(first)

        # Update the discriminators, by all parts.
        fakes = {domain: translations[domain].image.detach() for domain in DOMAINS}
        judging = [self.learner.collect(self.judging_terms(first, fakes), parts=parts)]
        with standing_still(self.discriminators.values()):
            for part in others:
                terms = self.judging_terms(part, self._fakes(part))
                judging.append(self.learner.collect(terms, parts=parts))
        judged = self.learner.update("discriminators", judging)

        # Update the generators, by discriminators that stand still meanwhile.
        with frozen(self.discriminators.values()):
            terms = self.translating_terms(real=first, translations=translations, identities=identities)
            translating = [self.learner.collect(terms, parts=parts)]
            with standing_still(self.discriminators.values()):
                for part in others:
                    translations, identities = self.translate_all(part)
                    terms = self.translating_terms(
                        real=part, translations=translations, identities=identities
                    )
                    translating.append(self.learner.collect(terms, parts=parts))
            translated = self.learner.update("generators", translating)
        return {**judged, **translated}

    @torch.no_grad()
    def _fakes(self, real: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {
            "A": self._generate("genB2A", real["B"]).image,
            "B": self._generate("genA2B", real["A"]).image,
        }

    def translate_all(
        self, real: Mapping[str, Tensor]
    ) -> tuple[dict[str, GeneratorOutput], dict[str, GeneratorOutput]]:
        """The translations and the identities, by the domain that a picture is to look like."""
        to_B, identity_B = self._translate("genA2B", real["A"], real["B"])
        to_A, identity_A = self._translate("genB2A", real["B"], real["A"])
        return {"A": to_A, "B": to_B}, {"A": identity_A, "B": identity_B}

    def _translate(
        self, generator: str, source: Tensor, target: Tensor
    ) -> tuple[GeneratorOutput, GeneratorOutput]:
        """One pass for the translation of one domain and the identity of the other."""
        translation, identity = halves(self._generate(generator, torch.cat([source, target])))
        return GeneratorOutput(*translation), GeneratorOutput(*identity)

    def _generate(self, generator: str, pictures: Tensor) -> GeneratorOutput:
        """What a generator makes of pictures."""
        return GeneratorOutput(*self._pass(generator, pictures))

    def _judge(self, discriminator: str, pictures: Tensor) -> DiscriminatorOutput:
        """What a discriminator says of pictures."""
        return DiscriminatorOutput(*self._pass(discriminator, pictures))

    def _pass(self, network: str, pictures: Tensor) -> list[Any]:
        """Every pass of every network; whatever it computes in, it answers in full precision."""
        run = self._compiled.get(network, self.networks[network])
        with self.speed.autocast():
            answer = run(self.speed.lay_out(pictures))
        return [
            value.float() if value is not None and value.dtype == torch.bfloat16 else value
            for value in answer
        ]

    def judging_terms(self, real: Mapping[str, Tensor], fake: Mapping[str, Tensor]) -> Terms:
        """What the four discriminators have to learn; real and fake pictures share a pass."""
        terms: Terms = {}
        for name in self.discriminators:
            domain = name[-1]
            judged_real, judged_fake = self._judge_both(name, real[domain], fake[domain])
            terms |= discriminator_terms(name[3:], judged_real, judged_fake)
        return terms

    def _judge_both(
        self, discriminator: str, real: Tensor, fake: Tensor
    ) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
        """Real and fake pictures in one pass: one power iteration of the spectral norm instead of two."""
        judged_real, judged_fake = halves(self._judge(discriminator, torch.cat([real, fake])))
        return DiscriminatorOutput(*judged_real), DiscriminatorOutput(*judged_fake)

    def translating_terms(
        self,
        *,
        real: Mapping[str, Tensor],
        translations: Mapping[str, GeneratorOutput],
        identities: Mapping[str, GeneratorOutput],
    ) -> Terms:
        """What the two generators have to learn. Keys are the domain that a picture is to look like."""
        terms: Terms = {}
        for name in self.discriminators:
            terms |= adversarial_terms(name[3:], self._judge(name, translations[name[-1]].image))
        cycles = {
            "A": self._generate("genB2A", translations["B"].image).image,
            "B": self._generate("genA2B", translations["A"].image).image,
        }
        for domain in DOMAINS:
            terms[f"G_cycle_{domain}"] = (cycles[domain] - real[domain]).abs().mean()
            terms[f"G_identity_{domain}"] = (identities[domain].image - real[domain]).abs().mean()
            source, target = translations[domain].cam_logit, identities[domain].cam_logit
            if source is not None and target is not None:
                terms[f"G_cam_{domain}"] = cam_loss(source, target)
        return terms

    @property
    def averaged(self) -> list[str]:
        """The generators: what is exported."""
        return list(self.generators)

    @torch.no_grad()
    def show(self, batch: Mapping[str, Tensor]) -> dict[str, list[Column]]:
        """For both directions: source, attention, translation, its attention on the way back, and so on.

        The discriminators' attention lies over the source, of which they saw real ones, and over the
        translation, by those of the domain that it should look like. Nothing is changed by looking.
        """
        with standing_still(self.discriminators.values()):
            return {
                "A2B": columns(batch["A"], "A", "B", translate=self._generate, judge=self._judge),
                "B2A": columns(batch["B"], "B", "A", translate=self._generate, judge=self._judge),
            }

    def score(self, shown: Mapping[str, Sequence[Column]]) -> float:
        """Cycle plus identity L1 of the pictures shown, in levels of [-1, 1], of both directions."""
        wanted = ("reconstruction", "identity")
        return sum(difference(columns, "source", label) for columns in shown.values() for label in wanted)

    def distributions(self) -> dict[str, Tensor]:
        """Every layer's learned rho as it mixes, `[C]`: 1 is instance, 0 layer normalisation (equation 1)."""
        return {
            f"rho/{generator}.{layer}": module.mixture
            for generator, network in self.generators.items()
            for layer, module in network.named_modules()
            if isinstance(module, AdaLIN | LIN) and isinstance(module.rho, nn.Parameter)
        }

    def weighted(self, terms: Terms) -> Tensor:
        """The sum of terms, each times its weight."""
        return torch.stack([self._weight(name) * term for name, term in terms.items()]).sum()

    def _weight(self, term: str) -> float:
        weights = self.config.weights
        kind = term.rpartition("_")[0]
        named = {"G_cycle": weights.cycle, "G_identity": weights.identity, "G_cam": weights.cam}
        return named.get(kind, weights.adversarial)

    def _adam(self, networks: Iterable[nn.Module]) -> torch.optim.Adam:
        return torch.optim.Adam(
            parameter_groups(networks, self.config.weight_decay_on),
            lr=self.config.learning_rate,
            betas=self.config.betas,
            weight_decay=self.config.weight_decay,
            fused=self.speed.fused_adam or None,
        )

    @torch.no_grad()
    def clip_rho(self) -> None:
        """Keep every rho in [0, 1], as after each step of the generators (section 2.1.2)."""
        for generator in self.generators.values():
            for module in generator.modules():
                if isinstance(module, AdaLIN | LIN):
                    module.rho.clamp_(0, 1)
