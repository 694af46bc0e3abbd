"""Convolutions together with the padding and up-sampling before them, by faster algorithms where they fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from models.networks import rgb_convolution, upsampled_convolution, winograd
from models.networks.precision import without_autocast

MIN_WINOGRAD_CHANNELS = 16
"""With fewer channels a Winograd convolution's transforms cost more than its products save."""
MIN_WINOGRAD_TILES = 32
"""With fewer tiles in a batch, the transform of its kernels does."""


class ConvSequential(nn.Sequential):
    """Layers in sequence. With `fast`, up-sampling, padding and convolution run as one function if possible.

    Parameters and results are those of `nn.Sequential`, the results up to rounding.
    """

    fast = False

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        before: list[nn.Module] = []
        for layer in self:
            if isinstance(layer, nn.Upsample | nn.ReflectionPad2d):
                before.append(layer)
            elif isinstance(layer, nn.Conv2d):
                x, before = convolution(x, layer, before, fast=self.fast), []
            else:
                x = layer(x)
        assert not before, "padding and up-sampling must be followed by a convolution"
        return x


def convolution(x: Tensor, conv: nn.Conv2d, before: Sequence[nn.Module], *, fast: bool) -> Tensor:
    """Return `conv(before(x))`.

    Args:
        x: `[B, C, H, W]`.
        conv: the convolution.
        before: the up-sampling and padding layers that precede it.
        fast: use a faster algorithm if one fits. There are some for a CPU only: the libraries of other
            devices have fast algorithms of their own.
    """
    if fast and x.device.type == "cpu" and conv.stride == (1, 1) and conv.padding == (0, 0):
        algorithm = _in_bfloat16 if torch.is_autocast_enabled("cpu") else _in_full_precision
        result = algorithm(x, conv, before)
        if result is not None:
            return result if conv.bias is None else result + conv.bias[:, None, None].to(result.dtype)
    direct: Tensor = conv(_apply(before, x))
    return direct


def _in_full_precision(x: Tensor, conv: nn.Conv2d, before: Sequence[nn.Module]) -> Tensor | None:
    """Return the convolution without its bias, or None if no fast algorithm fits."""
    if conv.kernel_size == (3, 3):
        return _winograd(x, conv, before)
    if conv.kernel_size == (7, 7) and conv.out_channels == 3:
        return rgb_convolution.features_to_rgb(_apply(before, x), conv.weight)
    if conv.kernel_size == (7, 7) and conv.in_channels == 3:
        return rgb_convolution.rgb_to_features(_apply(before, x), conv.weight)
    return None


def _in_bfloat16(x: Tensor, conv: nn.Conv2d, before: Sequence[nn.Module]) -> Tensor | None:
    """Return the convolution without its bias, or None if no fast algorithm fits."""
    # The units for bfloat16 multiply so fast that Winograd's transforms would cost more than they save.
    if conv.kernel_size == (3, 3) and _kinds(before) == [nn.Upsample, nn.ReflectionPad2d]:
        return upsampled_convolution.convolve_upsampled(x.bfloat16(), conv.weight)
    return None


def _winograd(x: Tensor, conv: nn.Conv2d, before: Sequence[nn.Module]) -> Tensor | None:
    """Return None if there are too few channels or tiles, or if whole tiles do not cover the map."""
    kinds = _kinds(before)
    height, width = x.shape[2:]
    if min(conv.in_channels, conv.out_channels) < MIN_WINOGRAD_CHANNELS:
        return None
    tiles = len(x) * (height // 4) * (width // 4)
    if kinds == [nn.ReflectionPad2d] and height % 4 == width % 4 == 0 and tiles >= MIN_WINOGRAD_TILES:
        return winograd.convolve(x, conv.weight)
    if kinds == [nn.Upsample, nn.ReflectionPad2d] and height % 2 == width % 2 == 0:
        return winograd.convolve_upsampled(x, conv.weight)
    return None


def _kinds(layers: Iterable[nn.Module]) -> list[type[nn.Module]]:
    return [type(layer) for layer in layers]


def _apply(layers: Iterable[nn.Module], x: Tensor) -> Tensor:
    """Apply padding and up-sampling, in the dtype of x: autocast would pad in float32."""
    with without_autocast(x):
        for layer in layers:
            x = layer(x)
    return x


def set_fast_convolutions(network: nn.Module, *, fast: bool) -> None:
    """Choose between the fast and the direct convolutions in every layer of a network that has the choice."""
    for module in network.modules():
        if isinstance(getattr(module, "fast", None), bool):
            setattr(module, "fast", fast)  # noqa: B010  (mypy does not know that this module has it)
