"""What the loop, the checkpoints and the export know of a way to learn: names, and nothing behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

from training.methods.learner import Learner

Batch = Mapping[str, Tensor]
"""Pictures by domain, `A` and `B`: `[N, 3, S, S]` in [-1, 1]."""


class Column(NamedTuple):
    """One column of a sample sheet."""

    label: str
    values: Tensor
    """Pictures `[N, 3, S, S]` in [-1, 1], or heat maps `[N, h, w]`."""


class Method(Protocol):
    """A way to learn translators."""

    @property
    def networks(self) -> Mapping[str, nn.Module]:
        """All networks by name: what a checkpoint holds."""

    @property
    def optimizers(self) -> Mapping[str, Optimizer]:
        """All optimizers by name: those of the learner."""

    @property
    def learner(self) -> Learner:
        """What steps the optimizers, and counts the updates that it skipped."""

    @property
    def averaged(self) -> Sequence[str]:
        """The networks whose running average is worth keeping: those that are exported."""

    def step(self, batch: Batch, progress: float, *, parts: int = 1) -> dict[str, Tensor]:
        """Learn from one batch, in so many parts; every loss term by name, detached, the mean of all."""

    def show(self, batch: Batch) -> dict[str, list[Column]]:
        """What the networks make of some pictures: for each direction the columns of a sheet."""

    def score(self, shown: Mapping[str, Sequence[Column]]) -> float:
        """How good the networks are that answered `show` so; lower is better."""

    def distributions(self) -> Mapping[str, Tensor]:
        """Parameters whose distribution is worth watching, by name, such as `rho/genA2B.decoder.0.norm1`."""
