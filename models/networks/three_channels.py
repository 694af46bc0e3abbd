"""7x7 convolutions between a picture and features, whose three channels would leave a vector unit idle.

To three channels, four pixels of a row are computed as twelve channels of one: a kernel as wide as all four
need, with zeros, in steps of four. Weight gradients take the side with three channels as their input, which
the library computes two to three times as fast as the other way round. Both are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F  # noqa: N812
from torch.nn.grad import conv2d_weight

PIXELS = 4
"""Neighbours in a row that are computed together."""


def features_to_picture(x: Tensor, weight: Tensor) -> Tensor:
    """Convolve a padded map: `[B, C, H + k - 1, W + k - 1]` to `[B, 3, H, W]`; W a multiple of 4."""
    apply: Callable[..., Tensor] = _FeaturesToPicture.apply
    return apply(x, weight)


def picture_to_features(x: Tensor, weight: Tensor) -> Tensor:
    """Convolve a padded picture: `[B, 3, H + k - 1, W + k - 1]` to `[B, C, H, W]`."""
    apply: Callable[..., Tensor] = _PictureToFeatures.apply
    return apply(x, weight)


class _FeaturesToPicture(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _to_three(x, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        of_x, of_weight = ctx.needs_input_grad
        turned = _turned(weight)
        widened = _pad_fully(gradient, weight)
        on_x = F.conv2d(widened, turned) if of_x else None
        on_weight = _turned(_weight_gradient(x, widened, turned)) if of_weight else None
        return on_x, on_weight


class _PictureToFeatures(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv2d(x, weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        of_x, of_weight = ctx.needs_input_grad
        on_x = _to_three(_pad_fully(gradient, weight), _turned(weight)) if of_x else None
        return on_x, _weight_gradient(gradient, x, weight) if of_weight else None


def _to_three(x: Tensor, weight: Tensor) -> Tensor:
    """As `conv2d`, for few outputs; what the last step lacks in width is padded with zeros and cut off."""
    outputs, inputs, height, width = weight.shape
    wanted = x.shape[3] - width + 1
    missing = -wanted % PIXELS
    if missing:
        x = F.pad(x, (0, missing))
    wide = weight.new_zeros(PIXELS, outputs, inputs, height, width + PIXELS - 1)
    for pixel in range(PIXELS):
        wide[pixel, ..., pixel : pixel + width] = weight
    wide = wide.flatten(0, 1).contiguous(memory_format=torch.channels_last)
    together = F.conv2d(x, wide, stride=(1, PIXELS)).permute(0, 2, 3, 1)  # [B, H, W / 4, 4 * 3]
    apart = together.reshape(*together.shape[:2], -1, outputs)  # [B, H, W, 3]
    return apart[:, :, :wanted].permute(0, 3, 1, 2)


def _turned(weight: Tensor) -> Tensor:
    """The kernel of the way back: inputs and outputs exchanged, every one turned by 180 degrees."""
    return weight.transpose(0, 1).flip(2, 3).contiguous(memory_format=torch.channels_last)


def _pad_fully(gradient: Tensor, weight: Tensor) -> Tensor:
    height, width = (size - 1 for size in weight.shape[2:])
    return F.pad(gradient, (width, width, height, height))


def _weight_gradient(gradient: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """Of `conv2d(x, weight)`; of weight only its shape and layout matter."""
    found: Tensor = conv2d_weight(x, weight.shape, gradient)  # type: ignore[no-untyped-call]
    return found
