"""The layer normalisation of UNIT and MUNIT, which is not the usual one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from models.networks.channel_sums import gradient_sums, scale_and_shift, scaled_sum, variance_and_mean
from models.networks.normalization import EPSILON


class MunitLayerNorm(nn.Module):
    """Return `(x - mean) / (std + eps) * gamma + beta`.

    Mean and standard deviation are over C, H and W of each picture. The deviation is the unbiased one, and
    eps is added to it, not to the variance. Gamma is first drawn from [0, 1], beta is 0.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.rand(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        apply: Callable[..., Tensor] = _Normalize.apply
        return apply(x, self.gamma, self.beta)


class _Normalize(torch.autograd.Function):
    """One pass over x for the channels' statistics, from which the layer's follow, and one for the result."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        total = x[0].numel()
        variance, mean = variance_and_mean(x)  # [B, C] each
        layer_mean = mean.mean(1, keepdim=True)  # [B, 1]
        layer_variance = (variance + (mean - layer_mean) ** 2).mean(1, keepdim=True)
        deviation = torch.sqrt(layer_variance * (total / (total - 1)))  # [B, 1]
        inverse = 1 / (deviation + EPSILON)
        ctx.save_for_backward(x, gamma, mean, layer_mean, deviation, inverse)
        scale = gamma * inverse  # [B, C]
        return scale_and_shift(x, scale, beta - layer_mean * scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        x, gamma, mean, layer_mean, deviation, inverse = ctx.saved_tensors
        g, total = gradients[0], x[0].numel()
        sum_g, centred = gradient_sums(g, x, mean)  # [B, C] each
        centred = centred + (mean - layer_mean) * sum_g  # of g * (x - layer_mean)
        # The deviation of a constant map is 0, and the gradient through it is 0 as well.
        through = inverse**2 * (gamma * centred).sum(1, keepdim=True) / (total - 1)
        slope = -torch.where(deviation > 0, through / deviation, 0)  # [B, 1]
        offset = -inverse * (gamma * sum_g).sum(1, keepdim=True) / total - slope * layer_mean
        grad_x = scaled_sum(g, gamma * inverse, x, slope.expand_as(mean), offset.expand_as(mean))
        return grad_x, (inverse * centred).sum(0), sum_g.sum(0)
