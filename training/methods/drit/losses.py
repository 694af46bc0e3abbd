"""The terms of DRIT's objective (sections 3.2 to 3.4), as pure functions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from models.networks.drit.encoders import Attribute

EPSILON = 1e-5
"""Added to the ratio of mode seeking."""


def cross_entropy(logit: Tensor, label: float) -> Tensor:
    """Return the mean cross-entropy of logits and a label from 0 to 1, a scalar."""
    return F.binary_cross_entropy_with_logits(logit, torch.full_like(logit, label))


def adversarial_loss(logits: Sequence[Tensor], label: float) -> Tensor:
    """Return the cross-entropy, summed over the scales of a discriminator: 1 is real, 0 is fake."""
    return torch.stack([cross_entropy(logit, label) for logit in logits]).sum()


def l1_loss(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference, a scalar."""
    return (output - target).abs().mean()


def mean_square(values: Tensor) -> Tensor:
    """Return the mean square, a scalar."""
    return values.square().mean()


def attribute_norm(attribute: Attribute) -> Tensor:
    """Return the divergence of attributes from the standard normal distribution, summed over the batch.

    An attribute without a variance has its mean square instead.
    """
    mean, log_variance = attribute
    if log_variance is None:
        return mean_square(mean)
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()


def mode_seeking_loss(one: Tensor, other: Tensor, codes: tuple[Tensor, Tensor]) -> Tensor:
    """Return the inverse of how much pictures differ for the difference of their codes, a scalar.

    Mao et al., CVPR 2019.
    """
    ratio = l1_loss(one, other) / l1_loss(*codes)
    return 1 / (ratio + EPSILON)
