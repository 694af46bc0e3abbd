"""The normalisations of the methods; a `NormFactory` makes one for a number of channels."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from models.networks.normalization import EPSILON, LIN, AdaLIN, InstanceNorm

NormFactory = Callable[[int], nn.Module]
"""Returns a normalisation of maps with that many channels."""

Style = tuple[Tensor, Tensor]
"""The scale and the shift of an AdaIN, `[B, C]` each."""


def plain_instance_norm(channels: int) -> InstanceNorm:
    """Return an instance normalisation without scale and shift: biased variance, eps under the root."""
    return InstanceNorm(channels, eps=EPSILON, affine=False)


def affine_instance_norm(channels: int) -> InstanceNorm:
    """Return an instance normalisation with a learned scale (1 at first) and shift (0)."""
    return InstanceNorm(channels, eps=EPSILON, affine=True)


def adaptive_instance_norm(channels: int) -> AdaLIN:
    """Return AdaIN, which takes scale and shift as arguments: AdaLIN with rho fixed at 1, biased variance."""
    return AdaLIN(channels, rho=1.0, learned=False, unbiased=False)


def drit_layer_norm(channels: int) -> LIN:
    """Return DRIT's layer normalisation: over C, H and W, biased variance, eps under the root.

    It has a weight (1 at first) and a bias (0) per channel. It is LIN with rho fixed at 0.
    """
    return LIN(channels, rho=0.0, learned=False, unbiased=False)
