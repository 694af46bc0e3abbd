"""Means over the steps since the last line of `stats.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from training.methods.finite_updates import SkippedStep


class Interval:
    """Sums of losses and times over steps. Losses stay on their device until `losses` is called."""

    def __init__(self) -> None:
        self.steps = 0
        self.skipped: list[SkippedStep] = []
        self._seconds = self._data_seconds = 0.0
        self._sums: dict[tuple[str, ...], Tensor] = {}
        self._learned: dict[tuple[str, ...], int] = {}

    def add(
        self,
        terms: Mapping[str, Tensor],
        *,
        seconds: float,
        data_seconds: float,
        skipped: SkippedStep | None = None,
    ) -> None:
        """Add one step.

        Args:
            terms: its loss terms, of which some steps may have others; the means exclude those of a step
                that skipped an update.
            seconds: its duration.
            data_seconds: the part of it spent waiting for pictures.
            skipped: the skipped updates, if any.
        """
        self.steps += 1
        self._seconds += seconds
        self._data_seconds += data_seconds
        if skipped is not None:
            self.skipped.append(skipped)
            return
        names = tuple(terms)
        values = torch.stack([term.detach().double() for term in terms.values()])
        self._sums[names] = self._sums[names] + values if names in self._sums else values
        self._learned[names] = self._learned.get(names, 0) + 1

    def losses(self) -> dict[str, float]:
        """Return the mean of each loss term over the steps that have it and skipped nothing."""
        sums: dict[str, float] = {}
        steps: dict[str, int] = {}
        for names, values in self._sums.items():
            for name, value in zip(names, values.tolist(), strict=True):
                sums[name] = sums.get(name, 0.0) + value
                steps[name] = steps.get(name, 0) + self._learned[names]
        return {name: value / steps[name] for name, value in sums.items()}

    def speed(self, pictures: int) -> dict[str, Any]:
        """Return the mean times of a step, and pictures per second for steps of `pictures` pictures."""
        return {
            "steps": self.steps,
            "seconds": self._seconds / self.steps,
            "data_seconds": self._data_seconds / self.steps,
            "images_per_second": pictures * self.steps / self._seconds,
        }
