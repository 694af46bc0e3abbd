"""AdaLIN and LIN (section 2.1.2, equation 1), and the normalisations of the paper's ablations.

All of them but group normalisation are one function, `layer_instance_norm`: a mixture, rho per channel, of
instance and layer normalisation. Rho fixed at 1 is instance normalisation, at 0 layer normalisation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from models.networks.config import GeneratorConfig

EPSILON = 1e-5
GROUPS = 32
SMOOTHING = 0.1
"""What a smoothed rho is less than the one that learns."""


class InstanceNorm(nn.InstanceNorm2d):
    """Instance normalisation by the same function as AdaLIN where that is faster."""

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        if not _lies_channels_last(x):
            return super().forward(x)
        one, zero = x.new_ones(x.shape[1], dtype=torch.float32), x.new_zeros(x.shape[1], dtype=torch.float32)
        gamma, beta = (self.weight, self.bias) if self.affine else (one, zero)
        return layer_instance_norm(x, one, gamma, beta, unbiased=False)


class Style(nn.Module):
    """Gamma and beta for every AdaLIN layer, from the generator's attended features (figure 1)."""

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
        hidden = self.hidden(features)
        return self.gamma(hidden), self.beta(hidden)  # [B, C] each


class AdaLIN(nn.Module):
    """Adaptive layer-instance normalisation: gamma and beta come from outside, one pair for each picture."""

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
        """Rho as it mixes the two normalisations, `[C]`, in [0, 1]."""
        return (self.rho - SMOOTHING).clamp(0, 1) if self.smooth else self.rho

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:  # [B, C, H, W], [B, C], [B, C]
        return layer_instance_norm(x, self.mixture, gamma, beta, unbiased=self.unbiased)


class LIN(nn.Module):
    """Layer-instance normalisation with gamma and beta of its own, as in the up-sampling layers."""

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
        """Rho as it mixes the two normalisations, `[C]`, in [0, 1]."""
        return self.rho

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        return layer_instance_norm(x, self.mixture, self.gamma, self.beta, unbiased=self.unbiased)


def _rho(owner: nn.Module, channels: int, value: float, *, learned: bool) -> Tensor:
    rho = torch.full((channels,), value)
    if learned:
        return nn.Parameter(rho)
    owner.register_buffer("rho", rho, persistent=False)
    return rho


def decoder_normalization(config: GeneratorConfig, channels: int) -> AdaLIN | LIN | nn.GroupNorm:
    """The normalisation of the decoder's residual blocks; only AdaLIN and AdaIN take a style."""
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
    """The normalisation of the up-sampling layers that goes with the decoder's."""
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
    """Mix instance and layer normalisation, then scale and shift (equation 1).

    `gamma * (rho * IN(x) + (1 - rho) * LN(x)) + beta`, computed in one pass over x for the statistics and one
    for the result: the layer's mean and variance follow from the channels' by the law of total variance, and
    both normalisations are affine, so their mixture is one scale and one shift per channel.

    Args:
        x: `[B, C, H, W]`.
        rho: `[C]`, in [0, 1].
        gamma: `[B, C]` or `[C]`.
        beta: as gamma.
        unbiased: divide the sums of squares by n - 1 instead of n.
    """
    shape = x.shape[:2]
    instance = (gamma * rho).expand(shape)
    layer = (gamma * (1 - rho)).expand(shape)
    apply: Callable[..., Tensor] = _MixedNormalization.apply
    return apply(x, instance, layer, beta.expand(shape), unbiased)


class _MixedNormalization(torch.autograd.Function):
    """`instance * IN(x) + layer * LN(x) + beta` with a weight per picture and channel, `[B, C]` each.

    The backward pass is one pass for two sums and one for the result, as the forward pass: with k the scale,
    the gradient of x is g * k + x * slope + offset, where slope and offset carry what flows through the
    statistics. Statistics and sums are float32 at least, whatever x is.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, instance: Tensor, layer: Tensor, beta: Tensor, unbiased: bool) -> Tensor:
        n, total = x[0, 0].numel(), x[0].numel()
        precise = _precise(x)
        variance, mean = variance_and_mean(precise)  # [B, C] each
        layer_mean = mean.mean(1, keepdim=True)  # [B, 1]
        layer_variance = (variance + (mean - layer_mean) ** 2).mean(1, keepdim=True)
        ctx.degrees = (n - 1, total - 1) if unbiased else (n, total)
        r = torch.rsqrt(variance * (n / ctx.degrees[0]) + EPSILON)
        layer_r = torch.rsqrt(layer_variance * (total / ctx.degrees[1]) + EPSILON)
        scale = instance * r + layer * layer_r
        shift = beta - instance * r * mean - layer * layer_r * layer_mean
        ctx.save_for_backward(x, instance, layer, mean, layer_mean, r, layer_r, scale)
        return torch.addcmul(_over_space(shift), precise, _over_space(scale)).to(x.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        g = _precise(gradients[0])
        x, instance, layer, mean, layer_mean, r, layer_r, scale = ctx.saved_tensors
        n, total = x[0, 0].numel(), x[0].numel()
        precise = _precise(x)
        sum_g, centred = gradient_sums(g, precise, mean)  # centred: d result / d r, without the weight

        layer_centred = centred + (mean - layer_mean) * sum_g
        instance_slope = -instance * r**3 * centred / ctx.degrees[0]
        layer_slope = -(layer_r**3) * (layer * layer_centred).sum(1, keepdim=True) / ctx.degrees[1]
        offset = (
            -instance * r * sum_g / n
            - layer_r * (layer * sum_g).sum(1, keepdim=True) / total
            - instance_slope * mean
            - layer_slope * layer_mean
        )
        grad_x = torch.addcmul(_over_space(offset), g, _over_space(scale))
        grad_x.addcmul_(precise, _over_space(instance_slope + layer_slope))
        return grad_x.to(x.dtype), r * centred, layer_r * layer_centred, sum_g, None


def _precise(x: Tensor) -> Tensor:
    return x if x.dtype == torch.float64 else x.float()


def variance_and_mean(x: Tensor) -> tuple[Tensor, Tensor]:
    """Of every channel of every picture, `[B, C]` each; the variance divides by n.

    On a CPU, `torch.var_mean` walks through a map channel by channel with Welford's method, 8 to 17 times
    slower than what batch normalisation does for a map that lies channels last; the figures are the same.
    """
    if not _lies_channels_last(x):
        variance, mean = torch.var_mean(x, (2, 3), correction=0)
        return variance, mean
    found = [torch.batch_norm_update_stats(picture, None, None, 0.0) for picture in torch.split(x, 1)]
    return torch.stack([variance for _, variance in found]), torch.stack([mean for mean, _ in found])


def gradient_sums(g: Tensor, x: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """The sums of g and of g * (x - mean) over every channel of every picture, `[B, C]` each.

    For a map that lies channels last on a CPU, batch normalisation's backward pass has both in one reading.
    """
    if not (_lies_channels_last(g) and _lies_channels_last(x)):
        sum_g = g.sum((2, 3))
        return sum_g, torch.einsum("bchw,bchw->bc", g, x) - mean * sum_g
    ones, sums = torch.ones_like(mean[0]), [False, True, True]
    found = [
        torch.ops.aten.native_batch_norm_backward(*pair, None, None, None, centre, ones, True, 0.0, sums)
        for *pair, centre in zip(torch.split(g, 1), torch.split(x, 1), mean, strict=True)
    ]
    return torch.stack([each[2] for each in found]), torch.stack([each[1] for each in found])


def _lies_channels_last(x: Tensor) -> bool:
    return x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last)


def _over_space(per_channel: Tensor) -> Tensor:
    return per_channel[:, :, None, None]
