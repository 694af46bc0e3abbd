"""Spectral normalisation (Miyato et al. 2018) in full precision."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm


def spectral_norm(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Divide a layer's weight by its largest singular value, as `torch.nn.utils.parametrizations` does.

    On a GPU, autocast would round that value, and the vectors that it is found by, to bfloat16.
    """
    return parametrize.register_parametrization(layer, "weight", _InFullPrecision(layer.weight))


class _InFullPrecision(_SpectralNorm):
    def _power_method(self, weight_mat: Tensor, n_power_iterations: int) -> None:
        if not weight_mat.is_meta:  # without values there is no singular vector to find, and it takes seconds
            super()._power_method(weight_mat, n_power_iterations)

    def forward(self, weight: Tensor) -> Tensor:
        kind = weight.device.type
        if kind == "meta" or not torch.is_autocast_enabled(kind):
            return super().forward(weight)
        with torch.autocast(kind, enabled=False):
            return super().forward(weight)
