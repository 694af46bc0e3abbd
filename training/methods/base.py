"""The parts that every method shares: a method adds its networks, its terms and the order of its updates."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from training.checkpoint.content import Packed
from training.config.compute_settings import ComputeSettings
from training.export.translator import Translator
from training.methods.finite_updates import GuardConfig
from training.methods.learner import Learner, Terms
from training.methods.loss_families import family_of
from training.methods.method import Batch, Column
from training.methods.micro_batches import split_batch
from training.methods.progress import Progress
from training.methods.sample_columns import column_difference, sample_columns
from training.parallel.processes import Processes

NO_STATE: Final = Packed({}, {})


class NetworkMethod(ABC):
    """Networks under compute settings, a learner, and the defaults of everything around a step.

    A subclass builds and initializes its networks, calls `__init__` with them, and then `learn` with its
    optimizers, which must be made after the networks have their memory layout.
    """

    learner: Learner

    def __init__(self, networks: Mapping[str, nn.Module], *, speed: ComputeSettings) -> None:
        """
        Args:
            networks: all networks by name, with their first weights.
            speed: the compute settings.
        """
        self.networks: dict[str, nn.Module] = dict(networks)
        self.speed = speed
        for network in self.networks.values():
            speed.prepare(network)
        self._compiled = (
            {name: torch.compile(network) for name, network in self.networks.items()} if speed.compile else {}
        )

    def learn(
        self,
        optimizers: Mapping[str, Optimizer],
        *,
        guard: GuardConfig | None,
        processes: Processes | None,
    ) -> None:
        """Make the learner of the optimizers, by name."""
        self.learner = Learner(optimizers, self.weighted_sum, guard=guard, processes=processes)

    @property
    def optimizers(self) -> dict[str, Optimizer]:
        """All optimizers by name."""
        return self.learner.optimizers

    def step(self, batch: Batch, progress: Progress, *, accumulate: int = 1) -> Terms:
        """Train on one batch.

        Args:
            batch: pictures by domain or derived set, each `[N, 3, S, S]` in [-1, 1].
            progress: the position of the step in the run.
            accumulate: the number of micro-batches whose gradients are accumulated. Memory is that of one
                micro-batch. The update equals that of the whole batch up to rounding.

        Returns:
            Every loss term before its weight, detached: its mean over micro-batches and processes. If an
            update was skipped, `learner.skipped` names its optimizer.
        """
        batch = {name: self.speed.lay_out(pictures) for name, pictures in batch.items()}
        rates = self.learning_rates(progress)
        with self.learner.step(self.networks.values(), learning_rate=rates):
            terms = self.update(split_batch(batch, accumulate), progress)
        if self.learner.skipped:
            self.undo()
        return terms

    @abstractmethod
    def learning_rates(self, progress: Progress) -> float | Mapping[str, float]:
        """Return the learning rate of all optimizers at a step, or that of each by name."""

    @abstractmethod
    def update(self, micro_batches: Sequence[Mapping[str, Tensor]], progress: Progress, /) -> Terms:
        """Update the networks; return the mean of every term."""

    @abstractmethod
    def translators(self, networks: Mapping[str, nn.Module] | None = None) -> Sequence[Translator]:
        """Return the translator of each direction that these networks can translate."""

    @property
    @abstractmethod
    def averaged_networks(self) -> list[str]:
        """The names of the networks that translate."""

    @abstractmethod
    def weight(self, family: str) -> float:
        """Return the weight of a family of terms, such as `G_cycle`."""

    def term_weight(self, term: str) -> float:
        """Return the weight of one term; by default that of its family."""
        return self.weight(family_of(term))

    def weighted_sum(self, terms: Terms) -> Tensor:
        """Return the sum of terms, each times its weight: a scalar."""
        return torch.stack([self.term_weight(name) * term for name, term in terms.items()]).sum()

    def forward(self, name: str, *inputs: Tensor | str, via: str | None = None) -> Any:
        """Run a network under the compute settings.

        Args:
            name: of the network.
            inputs: its inputs, such as pictures and the name of their domain; pictures and maps get the
                networks' memory layout.
            via: a method of the network to call instead of the network itself, such as `encode`.

        Returns:
            Its output; tensors that autocast made bfloat16 are float32, in which losses are computed.
        """
        network = self._compiled.get(name, self.networks[name])
        call = network if via is None else getattr(network, via)
        laid_out = [self._laid_out(each) for each in inputs]
        with self.speed.autocast():
            return _in_float32(call(*laid_out))

    def _laid_out(self, each: Tensor | str) -> Tensor | str:
        return self.speed.lay_out(each) if isinstance(each, Tensor) and each.dim() == 4 else each

    def minimize(self, optimizer: str, objectives: Sequence[Callable[[], Terms]]) -> Terms:
        """Step an optimizer by the mean of an objective over micro-batches.

        Args:
            optimizer: its name.
            objectives: one for each micro-batch; each computes its terms when it is called.

        Returns:
            The mean of every term.
        """
        count = len(objectives)
        collected = [self.learner.backward(terms(), micro_batches=count) for terms in objectives]
        return self.learner.update(optimizer, collected)

    def undo(self) -> None:  # noqa: B027
        """Undo what a step with a skipped update has changed beside the networks, such as an image pool."""

    def extra_state(self) -> Packed:
        """Return nothing: networks, optimizers and random generators are the whole state."""
        return NO_STATE

    def load_extra_state(self, state: Packed) -> None:  # noqa: B027
        """Restore nothing."""

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, list[Column]]:
        """Return source, translation, reconstruction and heat maps of each direction."""
        return sample_columns(self.translators(), batch)

    def sample_parts(self, batch: Batch) -> dict[str, list[Column]]:  # noqa: ARG002
        """Return no columns; a method whose heat maps have parts overrides this."""
        return {}

    def answers_to_real(self, batch: Batch) -> dict[str, float]:  # noqa: ARG002
        """Return no answers; a method whose discriminators can be asked overrides this."""
        return {}

    def score(self, samples: Mapping[str, Sequence[Column]]) -> float:
        """Return the cycle L1 of samples, summed over the directions; NaN without reconstructions."""
        differences = [
            column_difference(columns, "source", "reconstruction")
            for columns in samples.values()
            if any(column.label == "reconstruction" for column in columns)
        ]
        return sum(differences) if differences else math.nan

    def distributions(self) -> dict[str, Tensor]:
        """Return nothing; a method with mixed normalisations overrides this."""
        return {}


def _in_float32(output: Any) -> Any:
    """Return a tensor, or a tuple or named tuple of tensors, with bfloat16 tensors in float32."""
    match output:
        case Tensor():
            return output.float() if output.dtype == torch.bfloat16 else output
        case tuple() | list():
            parts: Iterable[Any] = map(_in_float32, output)
            return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)
    return output
