"""Means over the steps since the last line of `stats.jsonl`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Interval:
    """Adds up steps; the losses stay where they are, on a GPU say, until they are asked for."""

    def __init__(self) -> None:
        self.steps = 0
        self._seconds = self._data_seconds = 0.0
        self._names: list[str] = []
        self._sums: Tensor | None = None

    def add(self, terms: Mapping[str, Tensor], *, seconds: float, data_seconds: float) -> None:
        """One more step: its loss terms, how long it took, and how much of that was waiting for pictures."""
        self.steps += 1
        self._seconds += seconds
        self._data_seconds += data_seconds
        self._names = list(terms)
        values = torch.stack([term.detach().double() for term in terms.values()])
        self._sums = values if self._sums is None else self._sums + values

    def losses(self) -> dict[str, float]:
        """The mean of every loss term."""
        assert self._sums is not None, "there was no step"
        return dict(zip(self._names, (self._sums / self.steps).tolist(), strict=True))

    def speed(self, pictures: int) -> dict[str, Any]:
        """The mean time of a step, and pictures a second where a step takes `pictures` of them."""
        return {
            "steps": self.steps,
            "seconds": self._seconds / self.steps,
            "data_seconds": self._data_seconds / self.steps,
            "images_per_second": pictures * self.steps / self._seconds,
        }
