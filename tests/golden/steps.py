"""Run training steps and record what losses.json records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from tests.golden.baselines_reading import gradient_norm
from training.methods.base import NetworkMethod
from training.methods.progress import Progress

FIRST = Progress(step=1, total=1_000_000, epoch_steps=1)
"""The position of a step long before any decay."""


def recorded_step(
    method: NetworkMethod, batch: Mapping[str, Tensor], progress: Progress = FIRST
) -> dict[str, float]:
    """Run a step; return its terms and, as `grad_norm.NETWORK`, the gradient norms of each update."""
    norms: dict[str, float] = {}
    update = method.learner.update

    def recording(name: str, *arguments: Any, **options: Any) -> Any:
        owned = {id(each) for group in method.optimizers[name].param_groups for each in group["params"]}
        for network, module in method.networks.items():
            if owned.issuperset(map(id, module.parameters())):
                norms[f"grad_norm.{network}"] = gradient_norm(module)
        return update(name, *arguments, **options)

    method.learner.update = recording  # type: ignore[method-assign]
    terms = method.step(batch, progress)
    method.learner.update = update  # type: ignore[method-assign]
    assert not method.learner.skipped
    return {name: float(value) for name, value in terms.items()} | norms


def without_rate(method: NetworkMethod) -> None:
    """Let steps change no weight."""
    method.learning_rates = lambda _: 0.0  # type: ignore[method-assign]


def total(method: NetworkMethod, found: Mapping[str, float], start: str) -> float:
    """Return the weighted sum of the terms whose name starts so."""
    terms = {name: torch.tensor(value) for name, value in found.items() if name.startswith(start)}
    return float(method.weighted_sum(terms))


def draw_in_turn(method: Any, draws: Iterable[Tensor]) -> None:
    """Let `method.normal` return these draws, one after the other."""
    queue = list(draws)

    def normal(*shape: int, like: Tensor) -> Tensor:
        draw = queue.pop(0)
        assert tuple(draw.shape) == shape
        return draw

    method.normal = normal
