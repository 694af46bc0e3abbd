"""The terms of AGGAN's objective (sections 3.2 and 3.3), as pure functions."""

from __future__ import annotations

from torch import Tensor


def least_squares(logit: Tensor, label: float) -> Tensor:
    """Return the mean squared distance of logits from their label, a scalar (LSGAN, Mao et al. 2017)."""
    return (logit - label).square().mean()


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return half the least-squares loss of a discriminator: 1 is real, 0 is fake."""
    return 0.5 * (least_squares(real, 1) + least_squares(fake, 0))


def visible(pictures: Tensor, mask: Tensor, threshold: float) -> Tensor:
    """Return what a discriminator sees: the pixels where the mask is at least `threshold`, else 0.

    Args:
        pictures: `[B, 3, H, W]`.
        mask: of the source pictures, `[B, H, W]`; no gradient passes through it.
        threshold: 0 for all pixels.
    """
    return pictures * (mask >= threshold)[:, None] if threshold else pictures
