"""Means over the steps since the last line of `stats.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from training.methods.finite_updates import SkippedStep


class Interval:
    """Adds up steps; the losses stay where they are, on a GPU say, until they are asked for."""

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
        """Add one more step.

        Args:
            terms: its loss terms; those of a step that skipped an update are left out of the means.
            seconds: that it took.
            data_seconds: how much of that was waiting for pictures.
            skipped: what it skipped, if anything.
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
        """The mean time of a step, and pictures a second where a step takes `pictures` of them."""
        return {
            "steps": self.steps,
            "seconds": self._seconds / self.steps,
            "data_seconds": self._data_seconds / self.steps,
            "images_per_second": pictures * self.steps / self._seconds,
        }
