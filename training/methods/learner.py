"""From loss terms to updates: accumulate gradients, average them over processes, step the optimizers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from training.methods.finite_updates import GuardConfig, SkipCount, all_finite, not_finite, squared_norm
from training.parallel.processes import Processes, SingleProcess

Terms = dict[str, Tensor]
"""Scalar loss terms by name, each before its weight."""

_SQUARED_NORM: Final = "squared norm of the gradients"


class Learner:
    """The only code that steps the optimizers of a method.

    An update whose terms or gradients are not finite is skipped in all processes, and counted. A method
    computes the terms and chooses the order of the updates:

        with learner.step(networks, learning_rate=1e-4):
            collected = [learner.backward(terms_of(part), micro_batches=2) for part in micro_batches]
            means = learner.update("generators", collected)
    """

    def __init__(
        self,
        optimizers: Mapping[str, Optimizer],
        weighted_sum: Callable[[Terms], Tensor],
        *,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> None:
        """
        Args:
            optimizers: all optimizers by name.
            weighted_sum: computes the objective, a scalar, from its terms.
            guard: limits that decide which updates are skipped; None for the default limits.
            processes: the processes that train together; None for this process alone.
        """
        self.optimizers = dict(optimizers)
        self.guard = guard or GuardConfig()
        self.skips = {name: SkipCount() for name in self.optimizers}
        self.skipped: dict[str, list[str]] = {}
        """The optimizers whose update the last step skipped, each with the names of what was not finite."""
        self._weighted_sum = weighted_sum
        self._processes = processes or SingleProcess()

    @contextmanager
    def step(
        self, networks: Iterable[nn.Module], *, learning_rate: float | Mapping[str, float]
    ) -> Iterator[None]:
        """Enclose one training step: clear the gradients of the last step, and set the learning rate.

        The rate is that of all optimizers, or a rate for each by name.

        A forward pass may change buffers, such as running statistics or the vectors of the spectral norm. If
        an update is skipped, all buffers of `networks` are restored, so that the batch leaves no trace.
        """
        self.skipped = {}
        for name, optimizer in self.optimizers.items():
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate[name] if isinstance(learning_rate, Mapping) else learning_rate
        buffers = [buffer for network in networks for buffer in network.buffers()]
        before = [buffer.clone() for buffer in buffers]
        yield
        if self.skipped:
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)

    def backward(self, terms: Terms, *, micro_batches: int) -> Terms:
        """Accumulate the gradients of one of `micro_batches` micro-batches; return its terms, detached."""
        torch.autograd.backward(self._weighted_sum(terms) / micro_batches)
        return {name: term.detach() for name, term in terms.items()}

    def update(self, name: str, collected: Sequence[Terms], *, largest_norm: float | None = None) -> Terms:
        """Step an optimizer by the mean over micro-batches and processes; skip an update that is not finite.

        Args:
            name: of the optimizer.
            collected: the terms of every micro-batch.
            largest_norm: scale the gradients down to this norm, if theirs is larger; None keeps them.

        Returns:
            The mean of every term over micro-batches and processes.
        """
        optimizer = self.optimizers[name]
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        means = {term: torch.stack([part[term] for part in collected]).mean() for term in collected[0]}
        # The norm is averaged with the terms, so that all processes compare the same bits.
        means = self._processes.mean_terms({**means, _SQUARED_NORM: squared_norm(parameters)})
        squared = means.pop(_SQUARED_NORM)
        finite = all_finite(means, squared, largest=self.guard.largest_gradient_norm)
        self.skips[name].count(skipped=not finite)
        if finite:
            self._processes.mean_gradients(parameters)
            if largest_norm is not None:
                nn.utils.clip_grad_norm_(parameters, largest_norm)
            optimizer.step()
        else:
            self.skipped[name] = not_finite(means)
            optimizer.zero_grad()
        return means

    def clear(self, name: str) -> None:
        """Clear the gradients of an optimizer, for a second update of it within one step."""
        self.optimizers[name].zero_grad()

    @property
    def failing_optimizer(self) -> str | None:
        """The name of the optimizer that has skipped too many updates in a row, or None."""
        most = self.guard.most_skipped_in_a_row
        return next((name for name, skips in self.skips.items() if skips.in_a_row >= most), None)

    def state_dict(self) -> dict[str, dict[str, int]]:
        """Return the counts of skipped updates by optimizer, as a checkpoint holds them."""
        return {name: asdict(skips) for name, skips in self.skips.items()}

    def load_state_dict(self, state: Mapping[str, Mapping[str, int]]) -> None:
        """Restore the counts of a checkpoint; an optimizer without a count starts at zero."""
        self.skips = {name: SkipCount(**state.get(name, {})) for name in self.optimizers}
