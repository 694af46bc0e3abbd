"""The terms of U-GAT-IT's objective (section 2.2), as pure functions.

The paper prints the least-squares labels the other way round; here, as in both official codes, a real picture
is 1 and a fake one 0, and the CAM's logits are 1 for a picture of the source domain, 0 for one of the target.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from models.networks.discriminator import DiscriminatorOutput

Terms = dict[str, Tensor]
"""Scalar loss terms by name, each before its weight."""


def least_squares(logit: Tensor, label: float) -> Tensor:
    """LSGAN: the mean squared distance of a logit from its label (Mao et al. 2017)."""
    return (logit - label).square().mean()


def discriminator_terms(name: str, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Terms:
    """What one discriminator has to learn: real pictures are 1, fake ones 0, for its logit and for its CAM's.

    Args:
        name: such as `GA`, the global discriminator of domain A.
        real: its judgement of real pictures.
        fake: its judgement of translated ones.
    """
    terms = {f"D_adv_{name}": least_squares(real.logit, 1) + least_squares(fake.logit, 0)}
    if real.cam_logit is not None and fake.cam_logit is not None:
        terms[f"D_cam_{name}"] = least_squares(real.cam_logit, 1) + least_squares(fake.cam_logit, 0)
    return terms


def adversarial_terms(name: str, fake: DiscriminatorOutput) -> Terms:
    """What a generator has to learn from one discriminator: its pictures should be judged real."""
    terms = {f"G_adv_{name}": least_squares(fake.logit, 1)}
    if fake.cam_logit is not None:
        terms[f"G_cam_adv_{name}"] = least_squares(fake.cam_logit, 1)
    return terms


def cam_loss(source: Tensor, target: Tensor) -> Tensor:
    """The generator's auxiliary classifier: 1 for pictures of its source domain, 0 for those of its target.

    Args:
        source: its logits `[B, 2]` for pictures of the source domain.
        target: its logits `[B, 2]` for pictures of the target domain.
    """
    ones, zeros = torch.ones_like(source), torch.zeros_like(target)
    return F.binary_cross_entropy_with_logits(source, ones) + F.binary_cross_entropy_with_logits(
        target, zeros
    )
