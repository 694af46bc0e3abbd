"""AdaLIN and LIN (section 2.1.1, equation 1), and the normalisations of the paper's ablations.

Those of the decoder, except group normalisation, use one function, `layer_instance_norm`, which mixes
instance and layer normalisation by a rho per channel. Rho fixed at 1 is instance normalisation, rho fixed
at 0 layer normalisation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812

from models.networks.channel_sums import (
    gradient_sums,
    is_channels_last_on_cpu,
    scale_and_shift,
    scaled_sum,
    variance_and_mean,
)
from models.networks.config import GeneratorConfig

EPSILON = 1e-5
GROUPS = 32
"""Of group normalisation, if the number of channels is a multiple of it."""
SMOOTHING = 0.1
"""Subtracted from the learned rho if it is smooth, as in the TensorFlow code."""


class InstanceNorm(nn.InstanceNorm2d):
    """Instance normalisation: of channels-last maps on a CPU, batch normalisation picture by picture.

    torch's instance normalisation copies such a map into the other layout and back.
    """

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        if not is_channels_last_on_cpu(x):
            return super().forward(x)
        pictures = [
            F.batch_norm(picture, None, None, self.weight, self.bias, training=True, eps=self.eps)
            for picture in torch.split(x, 1)
        ]
        return pictures[0] if len(pictures) == 1 else torch.cat(pictures)


class StyleMLP(nn.Module):
    """The fully connected layers that compute gamma and beta of every AdaLIN layer (figure 1)."""

    def __init__(self, inputs: int, channels: int, *, width: int, biases: bool) -> None:
        super().__init__()
        self.hidden = nn.Sequential(
            nn.Linear(inputs, width, bias=biases),
            nn.ReLU(),
            nn.Linear(width, width, bias=biases),
            nn.ReLU(),
        )
        self.gamma = nn.Linear(width, channels, bias=biases)
        self.beta = nn.Linear(width, channels, bias=biases)

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:  # [B, inputs]
        hidden = self.hidden(features)  # [B, width]
        return self.gamma(hidden), self.beta(hidden)  # [B, C] each


class AdaLIN(nn.Module):
    """Adaptive layer-instance normalisation: gamma and beta are arguments, one pair per picture."""

    def __init__(
        self,
        channels: int,
        *,
        rho: float = 0.9,
        learned: bool = True,
        smooth: bool = False,
        unbiased: bool = True,
    ) -> None:
        super().__init__()
        self.smooth = smooth
        self.unbiased = unbiased
        self.rho = _rho(self, channels, rho, learned=learned)

    @property
    def mixture(self) -> Tensor:
        """The share of instance normalisation per channel, `[C]`, in [0, 1]."""
        return (self.rho - SMOOTHING).clamp(0, 1) if self.smooth else self.rho

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:  # [B, C, H, W], [B, C], [B, C]
        return layer_instance_norm(x, self.mixture, gamma, beta, unbiased=self.unbiased)


class LIN(nn.Module):
    """Layer-instance normalisation with learned gamma and beta, as in the up-sampling layers."""

    def __init__(
        self, channels: int, *, rho: float = 0.0, learned: bool = True, unbiased: bool = True
    ) -> None:
        super().__init__()
        self.unbiased = unbiased
        self.rho = _rho(self, channels, rho, learned=learned)
        self.gamma = nn.Parameter(torch.ones(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    @property
    def mixture(self) -> Tensor:
        """The share of instance normalisation per channel, `[C]`, in [0, 1]."""
        return self.rho

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        return layer_instance_norm(x, self.mixture, self.gamma, self.beta, unbiased=self.unbiased)


def _rho(owner: nn.Module, channels: int, value: float, *, learned: bool) -> Tensor:
    """Return rho, `[C]`: a parameter if learned, else a buffer of `owner` that checkpoints do not hold."""
    rho = torch.full((channels,), value)
    if learned:
        return nn.Parameter(rho)
    owner.register_buffer("rho", rho, persistent=False)
    return rho


def decoder_normalization(config: GeneratorConfig, channels: int) -> AdaLIN | LIN | nn.GroupNorm:
    """Return the normalisation of a decoder block; only AdaLIN and AdaIN take gamma and beta."""
    unbiased = config.unbiased_variance
    match config.normalization:
        case "adalin" if config.smooth_rho:
            return AdaLIN(channels, rho=1.0, smooth=True, unbiased=unbiased)
        case "adalin":
            return AdaLIN(channels, unbiased=unbiased)
        case "adain":
            return AdaLIN(channels, rho=1.0, learned=False, unbiased=unbiased)
        case _:
            return upsampling_normalization(config, channels)


def upsampling_normalization(config: GeneratorConfig, channels: int) -> LIN | nn.GroupNorm:
    """Return the normalisation of an up-sampling layer that matches the decoder's."""
    unbiased = config.unbiased_variance
    match config.normalization:
        case "adalin":
            return LIN(channels, unbiased=unbiased)
        case "in" | "adain":
            return LIN(channels, rho=1.0, learned=False, unbiased=unbiased)
        case "ln":
            return LIN(channels, rho=0.0, learned=False, unbiased=unbiased)
        case "gn":
            return nn.GroupNorm(math.gcd(GROUPS, channels), channels, eps=EPSILON)


def layer_instance_norm(x: Tensor, rho: Tensor, gamma: Tensor, beta: Tensor, *, unbiased: bool) -> Tensor:
    """Return `gamma * (rho * IN(x) + (1 - rho) * LN(x)) + beta` (equation 1).

    One pass over x computes the statistics and one the result: the mean and variance of the layer follow from
    those of its channels by the law of total variance, and both normalisations are affine, so their mixture
    is one scale and one shift per channel.

    Args:
        x: `[B, C, H, W]`.
        rho: `[C]`, in [0, 1].
        gamma: `[B, C]` or `[C]`.
        beta: `[B, C]` or `[C]`.
        unbiased: divide the sums of squares by n - 1 instead of n.
    """
    shape = x.shape[:2]  # [B, C]
    instance = (gamma * rho).expand(shape)
    layer = (gamma * (1 - rho)).expand(shape)
    apply: Callable[..., Tensor] = _LayerInstanceNorm.apply
    return apply(x, instance, layer, beta.expand(shape), unbiased)


class _LayerInstanceNorm(torch.autograd.Function):
    """`instance * IN(x) + layer * LN(x) + beta`, with weights per picture and channel, `[B, C]` each.

    Like the forward pass, the backward pass reads its maps once for two sums and once for the result. The
    gradient of x is `g * scale + x * slope + offset`, where slope and offset are the gradients through the
    statistics. Statistics and sums are at least float32, whatever the dtype of x.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, instance: Tensor, layer: Tensor, beta: Tensor, unbiased: bool) -> Tensor:
        n, total = x[0, 0].numel(), x[0].numel()  # values per channel, values per picture
        variance, mean = variance_and_mean(x)  # [B, C] each
        layer_mean = mean.mean(1, keepdim=True)  # [B, 1]
        layer_variance = (variance + (mean - layer_mean) ** 2).mean(1, keepdim=True)  # [B, 1]
        ctx.degrees = (n - 1, total - 1) if unbiased else (n, total)
        inverse_std = torch.rsqrt(variance * (n / ctx.degrees[0]) + EPSILON)
        layer_inverse_std = torch.rsqrt(layer_variance * (total / ctx.degrees[1]) + EPSILON)
        scale = instance * inverse_std + layer * layer_inverse_std  # [B, C]
        shift = beta - instance * inverse_std * mean - layer * layer_inverse_std * layer_mean  # [B, C]
        ctx.save_for_backward(x, instance, layer, mean, layer_mean, inverse_std, layer_inverse_std, scale)
        return scale_and_shift(x, scale, shift)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        g = gradients[0]  # [B, C, H, W]
        x, instance, layer, mean, layer_mean, inverse_std, layer_inverse_std, scale = ctx.saved_tensors
        n, total = x[0, 0].numel(), x[0].numel()
        # `centred` is the gradient of inverse_std, before the weight `instance`; `layer_centred` likewise.
        sum_g, centred = gradient_sums(g, x, mean)  # [B, C] each
        layer_centred = centred + (mean - layer_mean) * sum_g
        instance_slope = -instance * inverse_std**3 * centred / ctx.degrees[0]
        layer_slope = -(layer_inverse_std**3) * (layer * layer_centred).sum(1, keepdim=True) / ctx.degrees[1]
        offset = (
            -instance * inverse_std * sum_g / n
            - layer_inverse_std * (layer * sum_g).sum(1, keepdim=True) / total
            - instance_slope * mean
            - layer_slope * layer_mean
        )
        grad_x = scaled_sum(g, scale, x, instance_slope + layer_slope, offset)
        return grad_x, inverse_std * centred, layer_inverse_std * layer_centred, sum_g, None
