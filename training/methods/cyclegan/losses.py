"""The terms of CycleGAN's objective (section 3), as pure functions."""

from __future__ import annotations

from torch import Tensor


def least_squares(logits: Tensor, label: float) -> Tensor:
    """Return the mean squared distance of logits from their label: 1 for real, 0 for fake (section 4)."""
    return (logits - label).square().mean()


def l1_loss(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference, a scalar (equation 2)."""
    return (output - target).abs().mean()
