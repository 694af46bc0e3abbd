"""One Adam of TensorFlow that several objectives share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn

from training.methods.adam import TensorFlowAdam


class SharedAdam(TensorFlowAdam):
    """The part of a shared TensorFlow Adam that minimises one of several objectives, in a fixed order.

    TensorFlow's optimizer keeps moments for each variable, but one power of each beta for all. So its bias
    correction advances at every objective: in the first round, the third of four objectives is corrected as
    at step 3.
    """

    def __init__(
        self,
        parameters: list[nn.Parameter],
        *,
        position: int,
        objectives: int,
        learning_rate: float,
        betas: tuple[float, float],
        fused: bool | None,
    ) -> None:
        """
        Args:
            parameters: of this objective; the first must get a gradient at every step.
            position: of this objective in a round, from 0.
            objectives: in a round.
            learning_rate: before it decays.
            betas: the decay rates of both moments.
            fused: use torch's fused kernel; None for torch's choice.
        """
        super().__init__(parameters, lr=learning_rate, betas=betas, fused=fused)
        self._position = position
        self._objectives = objectives

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step with the bias correction of the shared optimizer."""
        (group,) = self.param_groups
        state = self.state.get(group["params"][0], {})
        own = int(state.get("step", 0)) + 1
        shared = self._objectives * (own - 1) + self._position + 1
        rate = group["lr"]
        group["lr"] = rate * correction(shared, group["betas"]) / correction(own, group["betas"])
        try:
            return super().step(closure)
        finally:
            group["lr"] = rate


def correction(step: int, betas: tuple[float, float]) -> float:
    """Return the factor of TensorFlow's learning rate at a step, counted from 1."""
    return float((1 - betas[1] ** step) ** 0.5 / (1 - betas[0] ** step))
