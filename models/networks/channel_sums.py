"""Sums over the channels of maps, and scales and shifts of them, as the normalisations need them.

On a CPU, the kernels of batch normalisation compute them for channels-last maps, picture by picture, in one
pass and without copies in another layout or precision.
"""

from __future__ import annotations

import torch
from torch import Tensor


def variance_and_mean(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the variance and the mean of every channel of every picture, `[B, C]` each, at least float32.

    The variance divides by n. On a CPU, `torch.var_mean` reads a map channel by channel with Welford's
    method, which takes 8 to 17 times as long as batch normalisation's statistics of a channels-last map. The
    results are the same.
    """
    if not is_channels_last_on_cpu(x):
        variance, mean = torch.var_mean(precise(x), (2, 3), correction=0)
        return variance, mean
    running = _zeros_and_ones(x)
    statistics = [torch.batch_norm_update_stats(picture, *running, 0.0) for picture in torch.split(x, 1)]
    return torch.stack([variance for _, variance in statistics]), torch.stack(
        [mean for mean, _ in statistics]
    )


def scale_and_shift(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Return `x * scale + shift` in x's dtype, computed in at least float32.

    Batch normalisation with fixed statistics reads and writes a bfloat16 map without a copy in float32.

    Args:
        x: `[B, C, H, W]`.
        scale: `[B, C]`.
        shift: `[B, C]`.
    """
    if not _is_bfloat16_on_cpu(x):
        return torch.addcmul(over_space(shift), precise(x), over_space(scale)).to(x.dtype)
    mean, variance = _zeros_and_ones(x)
    unused = torch.empty_like(mean)
    result = torch.empty_like(x)
    pictures = zip(torch.split(result, 1), torch.split(x, 1), scale, shift, strict=True)
    for into, picture, *pair in pictures:
        torch.ops.aten.native_batch_norm.out(
            picture, *pair, mean, variance, False, 0.0, 0.0, out=into, save_mean=unused, save_invstd=unused
        )
    return result


def scaled_sum(g: Tensor, scale: Tensor, x: Tensor, slope: Tensor, offset: Tensor) -> Tensor:
    """Return `g * scale + x * slope + offset` in x's dtype; maps are `[B, C, H, W]`, factors `[B, C]`."""
    if _is_bfloat16_on_cpu(g) and _is_bfloat16_on_cpu(x):
        return scale_and_shift(g, scale, offset).add_(scale_and_shift(x, slope, torch.zeros_like(slope)))
    scaled = torch.addcmul(over_space(offset), precise(g), over_space(scale))
    return scaled.addcmul_(precise(x), over_space(slope)).to(x.dtype)


def gradient_sums(g: Tensor, x: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sums of g and of g * (x - mean) over every channel of every picture, `[B, C]` each.

    For channels-last maps on a CPU, batch normalisation's backward pass computes both in one pass.

    Args:
        g: the gradient, `[B, C, H, W]`.
        x: the map, `[B, C, H, W]`.
        mean: of every channel, `[B, C]`.
    """
    if not (is_channels_last_on_cpu(g) and is_channels_last_on_cpu(x)):
        g, x = precise(g), precise(x)
        sum_g = g.sum((2, 3))
        return sum_g, torch.einsum("bchw,bchw->bc", g, x) - mean * sum_g
    zeros, ones = _zeros_and_ones(x)
    fixed, sums_only = (ones, zeros, ones), [False, True, True]
    sums = [
        torch.ops.aten.native_batch_norm_backward(*pair, *fixed, centre, ones, True, 0.0, sums_only)
        for *pair, centre in zip(torch.split(g, 1), torch.split(x, 1), mean, strict=True)
    ]
    return torch.stack([each[2] for each in sums]), torch.stack([each[1] for each in sums])


def precise(x: Tensor) -> Tensor:
    """Return x in at least float32."""
    return x if x.dtype == torch.float64 else x.float()


def _zeros_and_ones(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return a mean of 0 and a variance of 1 per channel, `[C]` each.

    Given in float32, they also let batch normalisation return float32 statistics of a bfloat16 map.
    """
    zeros = x.new_zeros(x.shape[1], dtype=torch.promote_types(x.dtype, torch.float32))
    return zeros, torch.ones_like(zeros)


def is_channels_last_on_cpu(x: Tensor) -> bool:
    """Return whether the kernels of batch normalisation are the fast ones for this map."""
    return x.device.type == "cpu" and x.is_contiguous(memory_format=torch.channels_last)


def _is_bfloat16_on_cpu(x: Tensor) -> bool:
    return x.dtype == torch.bfloat16 and is_channels_last_on_cpu(x)


def over_space(per_channel: Tensor) -> Tensor:
    """Return values per picture and channel, or per channel, in a shape that spreads over a map."""
    return per_channel[:, :, None, None]  # [B, C, 1, 1]
