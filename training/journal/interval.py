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
        self._names: list[str] = []
        self._sums: Tensor | None = None

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
            terms: its loss terms; the means exclude those of a step that skipped an update.
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
        self._names = list(terms)
        values = torch.stack([term.detach().double() for term in terms.values()])
        self._sums = values if self._sums is None else self._sums + values

    def losses(self) -> dict[str, float]:
        """Return the mean of every loss term over the steps that skipped nothing; empty if there are none."""
        if self._sums is None:
            return {}
        learned = self.steps - len(self.skipped)
        return dict(zip(self._names, (self._sums / learned).tolist(), strict=True))

    def speed(self, pictures: int) -> dict[str, Any]:
        """Return the mean times of a step, and pictures per second for steps of `pictures` pictures."""
        return {
            "steps": self.steps,
            "seconds": self._seconds / self.steps,
            "data_seconds": self._data_seconds / self.steps,
            "images_per_second": pictures * self.steps / self._seconds,
        }
