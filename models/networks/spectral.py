"""Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957), always in full precision.

A layer's weight W is divided by its largest singular value, sigma = u^T W v. The vectors u and v follow W by
one step of the power iteration for each pass in training mode.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import _SpectralNorm

from models.networks.precision import computing_dtype, without_autocast


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
        with without_autocast(weight):
            return super().forward(weight)


class SpectralConv2d(nn.Conv2d):
    """A convolution with spectral normalisation, which divides its input by sigma instead of its weight.

    Function, gradients and state are those of `spectral_norm(nn.Conv2d(...))`. But the weight, which in a
    deep layer is far larger than the input, is neither divided nor copied.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, bias: bool = True) -> None:
        super().__init__(inputs, outputs, kernel, stride, bias=bias)
        spectral_norm(self)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        weight = self.get_parameter("parametrizations.weight.original")
        with without_autocast(weight):
            sigma, u, v = self._largest_singular_value(weight.detach())
        apply: Callable[..., Tensor] = _SpectralConvolution.apply
        return apply(x, weight, self.bias, sigma, u, v, self.stride)

    @torch.no_grad()
    def _largest_singular_value(self, weight: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return sigma, u `[O]` and v `[I]`, v in the order of `_as_matrix`; advance u and v in training."""
        norm = self.get_submodule("parametrizations.weight.0")
        assert isinstance(norm, _SpectralNorm)
        u, v = norm._u.clone(), _as_matrix(norm._v.view_as(weight[:1]), like=weight)[0]
        matrix = _as_matrix(weight, like=weight)
        if self.training and not weight.is_meta:
            u = F.normalize(matrix @ v, dim=0, eps=norm.eps)
            v = F.normalize(matrix.T @ u, dim=0, eps=norm.eps)
            norm._u.copy_(u)
            norm._v.view_as(weight[0]).copy_(_as_kernel(v, like=weight))
        return torch.dot(u, matrix @ v), u, v


class _SpectralConvolution(torch.autograd.Function):
    """`conv2d(x / sigma, weight, bias)`, where sigma is u^T W v: its gradient by the weight is u v^T."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        sigma: Tensor,
        u: Tensor,
        v: Tensor,
        stride: tuple[int, int],
    ) -> Tensor:
        ctx.stride = stride
        dtype = computing_dtype(x)
        x, kernel = (x / sigma).to(dtype), weight.to(dtype)
        y = F.conv2d(x, kernel, None if bias is None else bias.to(dtype), stride)
        ctx.save_for_backward(x, kernel, bias, sigma, u, v, y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        (g,) = gradients
        x, kernel, bias, sigma, u, v, y = ctx.saved_tensors
        needs_x, needs_weight = ctx.needs_input_grad[:2]
        needed = [needs_x, needs_weight, needs_weight and bias is not None]
        grad_x, grad_kernel, grad_bias = torch.ops.aten.convolution_backward(
            g, x, kernel, [len(kernel)], ctx.stride, (0, 0), (1, 1), False, (0, 0), 1, needed
        )
        if needs_x:
            grad_x = grad_x / sigma
        if needs_weight:
            # The gradient by 1 / sigma is <g, conv2d(x, weight)>, and that is sigma * (y - bias).
            product = (g * y).sum(dtype=sigma.dtype)
            if bias is not None:
                grad_bias = grad_bias.to(bias.dtype)
                product = product - torch.dot(bias, grad_bias)
            grad_kernel = grad_kernel.to(sigma.dtype)
            _as_matrix(grad_kernel, like=grad_kernel).addr_(u, v * (-product / sigma))
        return grad_x, grad_kernel, grad_bias, None, None, None, None


def _as_matrix(weight: Tensor, *, like: Tensor) -> Tensor:
    """Return a kernel `[O, I, h, w]` as a matrix `[O, I * h * w]`, in the order of `like` in memory."""
    return (weight.permute(0, 2, 3, 1) if _is_channels_last(like) else weight).flatten(1)


def _as_kernel(row: Tensor, *, like: Tensor) -> Tensor:
    """Return a row of `_as_matrix` as a kernel `[I, h, w]`."""
    channels, height, width = like.shape[1:]
    if _is_channels_last(like):
        return row.view(height, width, channels).permute(2, 0, 1)
    return row.view(channels, height, width)


def _is_channels_last(weight: Tensor) -> bool:
    return weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
