"""Adam as torch and as TensorFlow compute it: they add epsilon at different places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import torch
from torch.optim import Adam

AdamForm = Literal["pytorch", "tensorflow"]
"""Where epsilon is added: to the corrected second moment's root, or to the uncorrected one's."""

EPSILON: Final = 1e-8


class TensorFlowAdam(Adam):
    """Adam with its epsilon outside the bias correction, as TensorFlow computes it.

    TensorFlow's update is `rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + 1e-8)`. Torch divides sqrt(v)
    by sqrt(1 - b2^t) before it adds epsilon. Both are equal if torch's epsilon is 1e-8 / sqrt(1 - b2^t) at
    step t: 3.2e-7 at the first. Kingma and Ba name the second form in section 2 (arXiv 1412.6980).
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Step with the epsilon of this step, whose number is in the optimizer's state."""
        for group in self.param_groups:
            states = (self.state[each] for each in group["params"] if each in self.state)
            done = next((int(state["step"]) for state in states), 0)  # equal for all parameters
            group["eps"] = epsilon_at(done + 1, group["betas"][1])
        return super().step(closure)


def epsilon_at(step: int, beta2: float) -> float:
    """Return the epsilon of torch's form that equals TensorFlow's 1e-8 at a step, counted from 1."""
    return float(EPSILON / (1 - beta2**step) ** 0.5)
