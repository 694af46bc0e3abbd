"""The terms of CartoonGAN's objective (section 3.2), as pure functions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from training.methods.cartoongan.config import Adversarial


def adversarial_loss(logit: Tensor, label: float, kind: Adversarial) -> Tensor:
    """Return the distance of logits from their label, 0 or 1: a scalar."""
    if kind == "least-squares":
        return (logit - label).square().mean()
    return F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, label))


def l1_loss(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference, a scalar: the content loss of features (equation 4)."""
    return (output - target).abs().mean()
