"""The terms of U-GAT-IT's objective (section 2.2, equations 3 to 8), as pure functions.

The paper prints the least-squares labels the other way round. Here, as in both official codes, the label of a
real picture is 1 and of a fake one 0. The label of a generator's CAM logit is 1 for pictures of its source
domain and 0 for pictures of its target domain.

The terms of the feature discriminators and PatchNCE are not the paper's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from models.networks.discriminator import DiscriminatorOutput
from training.methods.learner import Terms

_TEMPERATURE: Final = 0.07
"""Of PatchNCE, as in its official code."""


def least_squares(logit: Tensor, label: float) -> Tensor:
    """Return the mean squared distance of logits from their label, a scalar (LSGAN, Mao et al. 2017)."""
    return (logit - label).square().mean()


def discriminator_terms(name: str, real: DiscriminatorOutput, fake: DiscriminatorOutput) -> Terms:
    """Return the loss terms of one discriminator: of its logit (equation 3) and of its CAM (equation 7).

    Args:
        name: such as `GA`, the global discriminator of domain A.
        real: its output for real pictures, whose label is 1.
        fake: its output for translated pictures, whose label is 0.
    """
    terms = {f"D_adv_{name}": least_squares(real.logit, 1) + least_squares(fake.logit, 0)}
    if real.cam_logit is not None and fake.cam_logit is not None:
        terms[f"D_cam_{name}"] = least_squares(real.cam_logit, 1) + least_squares(fake.cam_logit, 0)
    return terms


def adversarial_terms(name: str, fake: DiscriminatorOutput) -> Terms:
    """Return a generator's loss terms against one discriminator (equations 3 and 7): translations aim at 1.

    Args:
        name: of the discriminator, such as `GA`.
        fake: its output for translated pictures.
    """
    terms = {f"G_adv_{name}": least_squares(fake.logit, 1)}
    if fake.cam_logit is not None:
        terms[f"G_cam_adv_{name}"] = least_squares(fake.cam_logit, 1)
    return terms


def feature_discriminator_terms(domain: str, real: Sequence[Tensor], fake: Sequence[Tensor]) -> Terms:
    """Return the loss term of a feature discriminator: the hinge loss, the mean over its levels.

    Args:
        domain: that it judges.
        real: its logits for real pictures, of each level.
        fake: its logits for translated pictures.
    """
    hinges = [
        F.relu(1 - one).mean() + F.relu(1 + other).mean() for one, other in zip(real, fake, strict=True)
    ]
    return {f"D_feature_{domain}": torch.stack(hinges).mean()}


def feature_adversarial_terms(domain: str, fake: Sequence[Tensor]) -> Terms:
    """Return a generator's loss term against a feature discriminator, from its logits of each level."""
    return {f"G_feature_{domain}": -torch.stack([each.mean() for each in fake]).mean()}


def patch_nce_terms(domain: str, queries: Sequence[Tensor], keys: Sequence[Tensor]) -> Terms:
    """Return a generator's loss term for places that are not recognised: PatchNCE, the mean over its levels.

    Args:
        domain: of the translations.
        queries: of each level, vectors of length 1, `[B, P, C]`, for P places of translations.
        keys: the same for their sources, in the same order.
    """
    losses = [patch_nce(query, key) for query, key in zip(queries, keys, strict=True)]
    return {f"G_nce_{domain}": torch.stack(losses).mean()}


def patch_nce(queries: Tensor, keys: Tensor) -> Tensor:
    """Return the cross-entropy of finding each query's key among its picture's keys, a scalar.

    Park et al., ECCV 2020, section 3. It is 0 if all are found, and ln P at chance.

    Args:
        queries: vectors of length 1, `[B, P, C]`.
        keys: the same; a query's own key is at its place.
    """
    similarities = queries @ keys.transpose(1, 2) / _TEMPERATURE  # [B, P, P]
    places = torch.arange(keys.shape[1], device=keys.device).expand(len(keys), -1)  # [B, P]
    return F.cross_entropy(similarities.flatten(0, 1), places.flatten())


def l1_loss(output: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute difference, a scalar: the cycle and the identity loss (equations 4 and 5)."""
    return (output - target).abs().mean()


def cam_loss(source: Tensor, target: Tensor) -> Tensor:
    """Return the loss of a generator's auxiliary classifiers, a scalar (equation 6).

    Args:
        source: logits `[B, 2]` for pictures of the source domain, whose label is 1.
        target: logits `[B, 2]` for pictures of the target domain, whose label is 0.
    """
    ones, zeros = torch.ones_like(source), torch.zeros_like(target)
    return F.binary_cross_entropy_with_logits(source, ones) + F.binary_cross_entropy_with_logits(
        target, zeros
    )
