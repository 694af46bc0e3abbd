"""The interface between a training method and the loop, the checkpoints and the export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

from training.checkpoint.content import Packed
from training.config.compute_settings import ComputeSettings
from training.export.translator import Translator
from training.methods.learner import Learner
from training.methods.progress import Progress

Batch = Mapping[str, Tensor]
"""Pictures by domain or derived set: each `[N, 3, S, S]` in [-1, 1]."""


class Column(NamedTuple):
    """One column of a sample sheet."""

    label: str
    values: Tensor
    """Pictures `[N, 3, S, S]` in [-1, 1], or heat maps `[N, h, w]`."""


class Method(Protocol):
    """A method that trains networks to translate pictures."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """All networks by name, as a checkpoint holds them."""

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """All optimizers by name: those of the learner."""

    @property
    def learner(self) -> Learner:
        """The learner, which steps the optimizers and counts skipped updates."""

    @property
    def speed(self) -> ComputeSettings:
        """The compute settings in use."""

    @property
    def averaged_networks(self) -> Sequence[str]:
        """The names of the networks that a running average follows: those that translate."""

    def step(self, batch: Batch, progress: Progress, *, accumulate: int = 1) -> dict[str, Tensor]:
        """Train on one batch, in `accumulate` micro-batches; return the mean of every loss term, detached."""

    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> Sequence[Translator]:
        """Return the translator of each direction that these networks can translate.

        Args:
            networks: by name, such as their running averages; None for the method's own.
        """

    def extra_state(self) -> Packed:
        """Return what a resumed run needs beside networks, optimizers and random generators: image pools."""

    def load_extra_state(self, state: Packed) -> None:
        """Restore what `extra_state` returned; a checkpoint without it has neither tensors nor scalars."""

    def sample(self, batch: Batch) -> dict[str, list[Column]]:
        """Return the columns of a sample sheet for each direction."""

    def sample_parts(self, batch: Batch) -> dict[str, list[Column]]:
        """Return the columns of the parts of the heat maps, by direction and network, such as `A2B-local`.

        A network is `generator`, `local` or `global`.
        """

    def answers_to_real(self, batch: Batch) -> Mapping[str, float]:
        """Return each discriminator's mean answer to real pictures, by name: 1 is real, 0 is fake."""

    def score(self, samples: Mapping[str, Sequence[Column]]) -> float:
        """Return the score of the networks that returned these samples; lower is better."""

    def distributions(self) -> Mapping[str, Tensor]:
        """Return parameters whose distribution is recorded, by name, such as `rho/genA2B.decoder.0.norm1`."""
