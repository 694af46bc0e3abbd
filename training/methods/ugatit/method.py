"""U-GAT-IT (Kim et al., ICLR 2020): two generators, four discriminators, one training step.

`ugatit.weights.feature` adds two more discriminators and `ugatit.weights.nce` PatchNCE; neither is in the
paper.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import torch
from torch import Tensor, nn

from models.networks.attention import run_with_parts
from models.networks.cam import CAMParts
from models.networks.discriminator import Discriminator, DiscriminatorOutput
from models.networks.generator import Generator, GeneratorOutput
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.export.translator import Translator
from training.methods.adam import TensorFlowAdam
from training.methods.base import NetworkMethod
from training.methods.finite_updates import GuardConfig
from training.methods.freeze import frozen_parameters, frozen_spectral_norm
from training.methods.initialization import initialize, parameter_groups
from training.methods.learner import Terms
from training.methods.method import Column
from training.methods.progress import Progress
from training.methods.sample_columns import column_difference
from training.methods.ugatit.classifier_maps import ClassifierMaps
from training.methods.ugatit.config import UgatitConfig
from training.methods.ugatit.feature_discriminators import FeatureDiscriminators
from training.methods.ugatit.losses import adversarial_terms, cam_loss, discriminator_terms, l1_loss
from training.methods.ugatit.outputs import split_halves
from training.methods.ugatit.patch_nce import PatchNCE
from training.methods.ugatit.rho import clip_rho, rho_of_every_layer
from training.methods.ugatit.sample_sheet import parts_columns, sample_columns
from training.methods.ugatit.translators import DIRECTIONS, translators
from training.parallel.processes import Processes

DOMAINS: Final = ("A", "B")
SCALES: Final = ("G", "L")
"""Of the discriminators: global and local."""


class Ugatit(NetworkMethod):
    """The networks, their optimizers and the training step.

    Generators are named by their direction (`genA2B`), discriminators by scale and domain (`disGA`), feature
    discriminators by their domain (`disFA`), the projections of PatchNCE by their direction (`projA2B`).
    Pictures and outputs are keyed by domain; a translation and an identity by the domain that they should
    look like.
    """

    def __init__(
        self,
        config: UgatitConfig,
        *,
        speed: ComputeSettings = UNOPTIMIZED,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> None:
        """
        Args:
            config: networks, objective and optimizers.
            speed: the compute settings.
            guard: limits that decide which updates are skipped; None for the default limits.
            processes: the processes that train together, each on its own batch; None for this process alone.
        """
        self.config = config
        self.generators = {
            f"gen{source}2{target}": Generator(config.generator) for source, target in DIRECTIONS
        }
        self.judges = {f"dis{scale}{domain}": (scale, domain) for scale in SCALES for domain in DOMAINS}
        self.discriminators = {
            name: Discriminator(config.global_discriminator if scale == "G" else config.local_discriminator)
            for name, (scale, _) in self.judges.items()
        }
        initialize([*self.generators.values(), *self.discriminators.values()], config.initialization)
        generating: dict[str, nn.Module] = {**self.generators}
        discriminating: dict[str, nn.Module] = {**self.discriminators}
        self.feature_discriminators = self.patch_nce = None
        maps = ClassifierMaps()
        if config.weights.feature:
            self.feature_discriminators = FeatureDiscriminators(
                self.forward, maps, config.discriminator_augmentation
            )
            discriminating |= self.feature_discriminators.networks
        if config.weights.nce:
            self.patch_nce = PatchNCE(self.forward, maps)
            generating |= self.patch_nce.networks
        super().__init__(generating | discriminating, speed=speed)
        self._all_discriminators = list(discriminating.values())
        optimizers = {
            "generators": self._adam(generating.values()),
            "discriminators": self._adam(self._all_discriminators),
        }
        self.learn(optimizers, guard=guard, processes=processes)

    def learning_rates(self, progress: Progress) -> float:
        """Return the learning rate of both optimizers."""
        return self.config.learning_rate_at(progress.share)

    def update(self, micro_batches: Sequence[Mapping[str, Tensor]], _: Progress, /) -> Terms:
        """Update the discriminators, then the generators; return the mean of every term.

        All micro-batches but the first are translated twice.
        """
        terms = self._update(micro_batches)
        clip_rho(self.generators)
        return terms

    def _update(self, micro_batches: Sequence[Mapping[str, Tensor]]) -> Terms:
        """Update the discriminators, then the generators; return the mean of every term."""
        count = len(micro_batches)
        first, *others = micro_batches

        # Translate the first micro-batch once. Both updates use these translations.
        translations, identities = self.translate_both(first)  # images [N / count, 3, S, S]

        # Update the discriminators. Their spectral norm advances once a step, by the first micro-batch.
        fakes = {domain: translations[domain].image.detach() for domain in DOMAINS}
        collected = [self.learner.backward(self.discriminator_objective(first, fakes), micro_batches=count)]
        with frozen_spectral_norm(self._all_discriminators):
            for real in others:
                terms = self.discriminator_objective(real, self._translate_detached(real))
                collected.append(self.learner.backward(terms, micro_batches=count))
        discriminator_means = self.learner.update("discriminators", collected)

        # Update the generators against the updated discriminators, which collect no gradients here.
        with frozen_parameters(self._all_discriminators):
            terms = self.generator_objective(first, translations=translations, identities=identities)
            collected = [self.learner.backward(terms, micro_batches=count)]
            with frozen_spectral_norm(self._all_discriminators):
                for real in others:
                    translations, identities = self.translate_both(real)
                    terms = self.generator_objective(real, translations=translations, identities=identities)
                    collected.append(self.learner.backward(terms, micro_batches=count))
            generator_means = self.learner.update("generators", collected)
        return {**discriminator_means, **generator_means}

    @torch.no_grad()
    def _translate_detached(self, real: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the translations `[B, 3, S, S]` of both domains, without gradients."""
        return {
            "A": self._generate("genB2A", real["B"]).image,
            "B": self._generate("genA2B", real["A"]).image,
        }

    def translate_both(
        self, real: Mapping[str, Tensor]
    ) -> tuple[dict[str, GeneratorOutput], dict[str, GeneratorOutput]]:
        """Return the translations and the identities of both domains."""
        to_B, identity_B = self._translate("genA2B", real["A"], real["B"])
        to_A, identity_A = self._translate("genB2A", real["B"], real["A"])
        return {"A": to_A, "B": to_B}, {"A": identity_A, "B": identity_B}

    def _translate(
        self, generator: str, source: Tensor, target: Tensor
    ) -> tuple[GeneratorOutput, GeneratorOutput]:
        """Return the translation of the source and the identity of the target, computed in one pass."""
        return split_halves(self._generate(generator, torch.cat([source, target])))  # [2B, 3, S, S] in

    def _discriminate_both(
        self, discriminator: str, real: Tensor, fake: Tensor
    ) -> tuple[DiscriminatorOutput, DiscriminatorOutput]:
        """Return the outputs for real and fake pictures, computed in one pass with one power iteration."""
        return split_halves(self._discriminate(discriminator, torch.cat([real, fake])))  # [2B, 3, S, S] in

    def _generate(self, generator: str, pictures: Tensor) -> GeneratorOutput:
        """Return a generator's output for pictures `[B, 3, S, S]`, in float32."""
        output: GeneratorOutput = self.forward(generator, pictures)
        return output

    def _discriminate(self, discriminator: str, pictures: Tensor) -> DiscriminatorOutput:
        """Return a discriminator's output for pictures `[B, 3, S, S]`, in float32."""
        output: DiscriminatorOutput = self.forward(discriminator, pictures)
        return output

    def discriminator_objective(self, real: Mapping[str, Tensor], fakes: Mapping[str, Tensor]) -> Terms:
        """Return the loss terms of all discriminators, from pictures `[B, 3, S, S]` of both domains."""
        terms: Terms = {}
        augment = self.config.discriminator_augmentation
        for name, (scale, domain) in self.judges.items():
            outputs = self._discriminate_both(name, augment(real[domain]), augment(fakes[domain]))
            terms |= discriminator_terms(f"{scale}{domain}", *outputs)
        if self.feature_discriminators is not None:
            terms |= self.feature_discriminators.discriminator_terms(real, fakes)
        return terms

    def generator_objective(
        self,
        real: Mapping[str, Tensor],
        *,
        translations: Mapping[str, GeneratorOutput],
        identities: Mapping[str, GeneratorOutput],
    ) -> Terms:
        """Return the loss terms of the two generators."""
        terms: Terms = {}
        for name, (scale, domain) in self.judges.items():
            fake = self.config.discriminator_augmentation(translations[domain].image)
            terms |= adversarial_terms(f"{scale}{domain}", self._discriminate(name, fake))
        if self.feature_discriminators is not None:
            terms |= self.feature_discriminators.generator_terms(translations)
        if self.patch_nce is not None:
            terms |= self.patch_nce.generator_terms(real, translations)
        cycles = {  # [B, 3, S, S]
            "A": self._generate("genB2A", translations["B"].image).image,
            "B": self._generate("genA2B", translations["A"].image).image,
        }
        for domain in DOMAINS:
            terms[f"G_cycle_{domain}"] = l1_loss(cycles[domain], real[domain])
            terms[f"G_identity_{domain}"] = l1_loss(identities[domain].image, real[domain])
            # For A: genB2A has translated real B, its source domain, and real A, its target domain.
            source, target = translations[domain].cam_logit, identities[domain].cam_logit  # [B, 2]
            if source is not None and target is not None:
                terms[f"G_cam_{domain}"] = cam_loss(source, target)
        return terms

    @property
    def averaged_networks(self) -> list[str]:
        """The names of the generators, which are exported."""
        return list(self.generators)

    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> list[Translator]:
        """Return the translators of these networks, or of the method's own."""
        return translators(self.networks if networks is None else networks)

    @torch.no_grad()
    def sample(self, batch: Mapping[str, Tensor]) -> dict[str, list[Column]]:
        """Return the columns of a sample sheet for both directions; the state of the networks stays as it is.

        The discriminators' heat maps lie over the source, by those of its domain, and over the translation,
        by those of the target domain.
        """
        generate, discriminate = self._generate, self._discriminate
        with frozen_spectral_norm(self.discriminators.values()):
            return {
                "A2B": sample_columns(batch["A"], "A", "B", generate=generate, discriminate=discriminate),
                "B2A": sample_columns(batch["B"], "B", "A", generate=generate, discriminate=discriminate),
            }

    @torch.no_grad()
    def sample_parts(self, batch: Mapping[str, Tensor]) -> dict[str, list[Column]]:
        """Return the columns of the parts of the heat maps, by direction and network: `A2B-local`.

        They are computed in float32, and the state of the networks stays as it is.
        """
        with frozen_spectral_norm(self.discriminators.values()):
            directions = {
                f"{domain}2{target}": parts_columns(batch[domain], domain, target, run=self._run_with_parts)
                for domain, target in (("A", "B"), ("B", "A"))
            }
        return {
            f"{direction}-{network}": columns
            for direction, networks in directions.items()
            for network, columns in networks.items()
        }

    def _run_with_parts(
        self, name: str, pictures: Tensor
    ) -> tuple[GeneratorOutput | DiscriminatorOutput, CAMParts | None]:
        """Run a network without compilation, which would ignore the hook that reads the CAM's features."""
        pictures = self.speed.lay_out(pictures)
        if name in self.generators:
            return run_with_parts(self.generators[name], pictures)
        return run_with_parts(self.discriminators[name], pictures)

    @torch.no_grad()
    def answers_to_real(self, batch: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the mean logit of each discriminator, such as `GA`, for pictures of its domain."""
        with frozen_spectral_norm(self.discriminators.values()):
            return {
                f"{scale}{domain}": float(self._discriminate(name, batch[domain]).logit.mean())
                for name, (scale, domain) in self.judges.items()
            }

    def score(self, samples: Mapping[str, Sequence[Column]]) -> float:
        """Return the cycle plus the identity L1 of samples, summed over both directions; lower is better.

        The unit is levels of [-1, 1].
        """
        return sum(
            column_difference(columns, "source", label)
            for columns in samples.values()
            for label in ("reconstruction", "identity")
        )

    def distributions(self) -> dict[str, Tensor]:
        """Return rho of every layer, `[C]`, in the form that mixes: 1 is IN and 0 is LN (equation 1)."""
        return {f"rho/{layer}": rho for layer, rho in rho_of_every_layer(self.generators).items()}

    def weight(self, family: str) -> float:
        """Return the weight of a family of terms (equation 8)."""
        weights = self.config.weights
        named = {
            "G_cycle": weights.cycle,
            "G_identity": weights.identity,
            "G_cam": weights.cam,
            "G_feature": weights.feature,
            "G_nce": weights.nce,
        }
        return named.get(family, weights.adversarial)

    def _adam(self, networks: Iterable[nn.Module]) -> torch.optim.Adam:
        kind = TensorFlowAdam if self.config.adam == "tensorflow" else torch.optim.Adam
        return kind(
            parameter_groups(networks, self.config.weight_decay_on),
            lr=self.config.learning_rate,
            betas=self.config.betas,
            weight_decay=self.config.weight_decay,
            fused=self.speed.fused_adam or None,
        )
