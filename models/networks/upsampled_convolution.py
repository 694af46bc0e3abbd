"""Nearest-neighbour up-sampling x2 and a 3x3 convolution, computed on the small map.

Every row of the large map occurs twice, so three neighbouring ones hold only two of the small map. Each of
the four phases of the result (even and odd rows, even and odd columns) is therefore a 2x2 convolution of the
small map: 16 products for four pixels instead of 36, and the large map is never stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812

from models.networks.precision import without_autocast


def convolve_upsampled(x: Tensor, weight: Tensor) -> Tensor:
    """Up-sample a map x2 by nearest neighbours, pad it by reflection and convolve it.

    Args:
        x: `[B, C, H, W]`.
        weight: `[K, C, 3, 3]`; the convolution is computed in the dtype of x.

    Returns:
        `[B, K, 2H, 2W]`.
    """
    with without_autocast(x):
        padded = F.pad(x, (1, 1, 1, 1), mode="replicate")  # as reflecting the large map does
        apply: Callable[..., Tensor] = _PhaseConvolution.apply
        return apply(padded, phase_kernels(weight).to(x.dtype))


def phase_kernels(weight: Tensor) -> Tensor:
    """Return the kernels `[4K, C, 2, 2]` of the phases, even rows and columns first, of a `[K, C, 3, 3]`."""
    kernels = [kernel for rows in _taps_on_small_map(weight, 2) for kernel in _taps_on_small_map(rows, 3)]
    return torch.cat(kernels).contiguous(memory_format=torch.channels_last)


def _taps_on_small_map(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Return the two taps along an axis, of which the three on the large map make up, for each phase."""
    first, second, third = torch.split(weight, 1, axis)
    return torch.cat([first, second + third], axis), torch.cat([first + second, third], axis)


class _PhaseConvolution(torch.autograd.Function):
    """The convolution of a padded map by the kernels of all phases, and the phases put together."""

    @staticmethod
    def forward(ctx: Any, padded: Tensor, kernels: Tensor) -> Tensor:
        ctx.save_for_backward(padded, kernels)
        phases = F.conv2d(padded, kernels)  # [B, 4K, H + 1, W + 1]
        height, width = phases.shape[2] - 1, phases.shape[3] - 1
        size = (len(padded), len(kernels) // 4, 2 * height, 2 * width)
        result = torch.empty(
            size, dtype=phases.dtype, device=phases.device, memory_format=torch.channels_last
        )
        for phase, (row, column) in zip(phases.chunk(4, 1), _PHASES, strict=True):
            result[:, :, row::2, column::2] = phase[:, :, row : row + height, column : column + width]
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        (g,) = gradients
        padded, kernels = ctx.saved_tensors
        height, width = g.shape[2] // 2, g.shape[3] // 2
        size = (len(g), len(kernels), height + 1, width + 1)
        phases = torch.empty(size, dtype=g.dtype, device=g.device, memory_format=torch.channels_last).zero_()
        for phase, (row, column) in zip(phases.chunk(4, 1), _PHASES, strict=True):
            phase[:, :, row : row + height, column : column + width] = g[:, :, row::2, column::2]
        needed = [*ctx.needs_input_grad, False]
        grad_padded, grad_kernels, _ = torch.ops.aten.convolution_backward(
            phases, padded, kernels, None, (1, 1), (0, 0), (1, 1), False, (0, 0), 1, needed
        )
        return grad_padded, grad_kernels


_PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Row and column of the first pixel of each phase."""
