"""From loss terms to updates: the one place where the optimizers of every method step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from training.methods.finite_updates import GuardConfig, Skips, all_finite, not_finite, squared_norm
from training.methods.ugatit.losses import Terms
from training.parallel.processes import Processes, Solo

_SQUARED_NORM: Final = "squared norm of the gradients"


class Learner:
    """Collects the gradients of loss terms, averages them over the processes, and steps the optimizers.

    An update whose terms or gradients are not finite is skipped, in all processes alike, and counted. A
    method computes the terms and says when to update what:

        with learner.step(networks, learning_rate=1e-4):
            collected = [learner.collect(terms_of(part), parts=2) for part in batch]
            means = learner.update("generators", collected)
    """

    def __init__(
        self,
        optimizers: Mapping[str, Optimizer],
        weighted: Callable[[Terms], Tensor],
        *,
        guard: GuardConfig | None = None,
        processes: Processes | None = None,
    ) -> None:
        """
        Args:
            optimizers: by name.
            weighted: the objective, a scalar, from its terms.
            guard: when an update is skipped.
            processes: the processes that train together; None for this one alone.
        """
        self.optimizers = dict(optimizers)
        self.guard = guard or GuardConfig()
        self.skips = {name: Skips() for name in self.optimizers}
        self.skipped: dict[str, list[str]] = {}
        """The optimizers whose update the last step skipped, each with what was not finite."""
        self._weighted = weighted
        self._processes = processes or Solo()

    @contextmanager
    def step(self, networks: Iterable[nn.Module], *, learning_rate: float) -> Iterator[None]:
        """Enclose one training step: forget the gradients of the last one, and set the learning rate.

        Every forward pass may move buffers, such as running statistics or the vectors of the spectral norm.
        If an update is skipped, all buffers of `networks` return to what they were before the step, so that
        nothing of its batch stays.
        """
        self.skipped = {}
        for optimizer in self.optimizers.values():
            optimizer.zero_grad()
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
        buffers = [buffer for network in networks for buffer in network.buffers()]
        before = [buffer.clone() for buffer in buffers]
        yield
        if self.skipped:
            for buffer, value in zip(buffers, before, strict=True):
                buffer.copy_(value)

    def collect(self, terms: Terms, *, parts: int) -> Terms:
        """Add the gradients of one of `parts` equal parts of a batch; return its terms, detached."""
        torch.autograd.backward(self._weighted(terms) / parts)
        return {name: term.detach() for name, term in terms.items()}

    def update(self, name: str, collected: Sequence[Terms]) -> Terms:
        """Step an optimizer by the mean over all parts and processes, or skip the update if it is not finite.

        Args:
            name: of the optimizer.
            collected: the terms of every part.

        Returns:
            Every term: its mean over all parts and processes.
        """
        optimizer = self.optimizers[name]
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        means = {term: torch.stack([part[term] for part in collected]).mean() for term in collected[0]}
        # The norm is averaged with the terms, so that all processes decide by the same bits.
        means = self._processes.mean({**means, _SQUARED_NORM: squared_norm(parameters)})
        squared = means.pop(_SQUARED_NORM)
        finite = all_finite(means, squared, largest=self.guard.largest_gradient_norm)
        self.skips[name].count(skipped=not finite)
        if finite:
            self._processes.mean_gradients(parameters)
            optimizer.step()
        else:
            self.skipped[name] = not_finite(means)
            optimizer.zero_grad()
        return means

    @property
    def stuck(self) -> str | None:
        """The optimizer of which too many updates in a row were skipped, if there is one."""
        most = self.guard.most_skipped_in_a_row
        return next((name for name, skips in self.skips.items() if skips.in_a_row >= most), None)

    def state_dict(self) -> dict[str, dict[str, int]]:
        """Return the counts of skipped updates by optimizer, which a checkpoint holds."""
        return {name: asdict(skips) for name, skips in self.skips.items()}

    def load_state_dict(self, state: Mapping[str, Mapping[str, int]]) -> None:
        """Continue the counts of a checkpoint; an optimizer that it does not name starts at zero."""
        self.skips = {name: Skips(**state.get(name, {})) for name in self.optimizers}
