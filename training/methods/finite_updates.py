"""Decide which updates are finite, and count those that are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from models.networks.config import ConfigError

GRADIENTS: Final = "gradients"
"""The name in a report where every loss term is finite and the gradients are not."""


@dataclass(frozen=True, kw_only=True)
class GuardConfig:
    """When an update of an optimizer is skipped, and how many skipped updates abort the run."""

    largest_gradient_norm: float = 1e8
    """An update counts as not finite and is skipped if the norm of its gradients is above this, at most 1e18.
    Norms are below 1e6 in normal training; a picture of a single colour can make them infinite. Adam keeps
    the square of every gradient: after a gradient of 1e12 the weights would hardly change for tens of
    thousands of steps."""
    most_skipped_in_a_row: int = 20
    """Abort the run after this many skipped updates of one optimizer in a row."""

    def __post_init__(self) -> None:
        # Adam squares every gradient: above 1e18 the squares approach the largest float32, 3e38.
        if not 0 < self.largest_gradient_norm <= 1e18:
            raise ConfigError(
                "guard.largest_gradient_norm must be above 0 and at most 1e18, "
                f"got {self.largest_gradient_norm}."
            )
        if self.most_skipped_in_a_row < 1:
            raise ConfigError(
                f"guard.most_skipped_in_a_row must be at least 1, got {self.most_skipped_in_a_row}."
            )


class NonFiniteError(RuntimeError):
    """Too many updates in a row were not finite. The message is one sentence."""


@dataclass
class SkipCount:
    """The number of skipped updates of one optimizer."""

    total: int = 0
    in_a_row: int = 0
    """The number since the last update that was not skipped."""

    def count(self, *, skipped: bool) -> None:
        """Count one more update."""
        self.total += skipped
        self.in_a_row = self.in_a_row + 1 if skipped else 0


class SkippedStep(NamedTuple):
    """A step in which at least one update was skipped."""

    step: int
    not_finite: Mapping[str, list[str]]
    """By optimizer: the loss terms that were not finite, or `gradients` if all terms were finite."""
    pictures: list[str]
    """The pictures of the whole batch, as paths relative to the data set's folder."""

    @property
    def reason(self) -> str:
        """The optimizers and what was not finite, such as `generators: gradients`."""
        return "; ".join(f"{name}: {', '.join(what)}" for name, what in self.not_finite.items())


def squared_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Return the squared Euclidean norm over all gradients, a scalar; infinite if it overflows."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    return torch.stack(torch._foreach_norm(gradients)).square().sum()


def all_finite(terms: Mapping[str, Tensor], squared: Tensor, *, largest: float) -> bool:
    """Return whether every term is finite and the gradients' norm is at most `largest`.

    This synchronises with the device once.
    """
    finite = torch.stack(list(terms.values())).isfinite().all()
    return bool(finite & (squared <= largest**2))


def not_finite(terms: Mapping[str, Tensor]) -> list[str]:
    """Return the names of the terms that are not finite, or `gradients` if all terms are finite."""
    return [name for name, term in terms.items() if not torch.isfinite(term)] or [GRADIENTS]
