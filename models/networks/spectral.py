"""Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957), always in full precision."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm


def spectral_norm(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    """Divide a layer's weight by its largest singular value, as `torch.nn.utils.parametrizations` does.

    Under autocast, torch's own version computes the singular value and the vectors of its power iteration in
    bfloat16; this one computes them in the weight's own precision.
    """
    return parametrize.register_parametrization(layer, "weight", _FullPrecisionSpectralNorm(layer.weight))


class _FullPrecisionSpectralNorm(_SpectralNorm):
    def _power_method(self, weight_mat: Tensor, n_power_iterations: int) -> None:
        # A tensor on the meta device has no values, so the iteration finds nothing but takes seconds.
        if not weight_mat.is_meta:
            super()._power_method(weight_mat, n_power_iterations)

    def forward(self, weight: Tensor) -> Tensor:
        device_type = weight.device.type
        if device_type == "meta" or not torch.is_autocast_enabled(device_type):
            return super().forward(weight)
        with torch.autocast(device_type, enabled=False):
            return super().forward(weight)
