"""Convolutions with what comes before them, as one function where that is faster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from models.networks import three_channels, winograd

FEWEST_CHANNELS = 16
"""Below, a Winograd convolution's transforms cost more than its products save."""


class Layers(nn.Sequential):
    """Layers one after another. If `quick`, padding, doubling and convolution run as one where they can."""

    quick = False

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        before: list[nn.Module] = []
        for layer in self:
            if isinstance(layer, nn.Upsample | nn.ReflectionPad2d):
                before.append(layer)
            elif isinstance(layer, nn.Conv2d):
                x, before = convolution(x, layer, before, quick=self.quick), []
            else:
                x = layer(x)
        assert not before, "padding is for a convolution"
        return x


def convolution(x: Tensor, conv: nn.Conv2d, before: Sequence[nn.Module], *, quick: bool) -> Tensor:
    """`conv(before(x))`, by fewer multiplications or in an easier shape, if `quick` and there is such a way.

    The quick ways are for full precision on a CPU: other devices' libraries have ways of their own.
    """
    if quick and x.device.type == "cpu" and not torch.is_autocast_enabled("cpu"):
        result = _quick(x, conv, before)
        if result is not None:
            return result if conv.bias is None else result + conv.bias[:, None, None]
    plain: Tensor = conv(_all(before, x))
    return plain


def _quick(x: Tensor, conv: nn.Conv2d, before: Sequence[nn.Module]) -> Tensor | None:
    """Without the bias; None where there is no such way."""
    if conv.kernel_size == (3, 3) and conv.stride == (1, 1):
        return _winograd(x, conv, before)
    if conv.kernel_size == (7, 7) and conv.out_channels == 3:
        return three_channels.features_to_picture(_all(before, x), conv.weight)
    if conv.kernel_size == (7, 7) and conv.in_channels == 3:
        return three_channels.picture_to_features(_all(before, x), conv.weight)
    return None


def _winograd(x: Tensor, conv: nn.Conv2d, before: Sequence[nn.Module]) -> Tensor | None:
    """None where it does not fit: too few channels, or a map that is no whole number of tiles."""
    kinds = [type(layer) for layer in before]
    height, width = x.shape[2:]
    if min(conv.in_channels, conv.out_channels) < FEWEST_CHANNELS:
        return None
    if kinds == [nn.ReflectionPad2d] and height % 4 == width % 4 == 0:
        return winograd.convolve(x, conv.weight)
    if kinds == [nn.Upsample, nn.ReflectionPad2d] and height % 2 == width % 2 == 0:
        return winograd.convolve_doubled(x, conv.weight)
    return None


def _all(layers: Iterable[nn.Module], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x


def set_quick(network: nn.Module, *, quick: bool) -> None:
    """Let a network's convolutions be quick, or exactly what their modules say."""
    for module in network.modules():
        if isinstance(getattr(module, "quick", None), bool):
            setattr(module, "quick", quick)  # noqa: B010  (which layers have one, their own files know)
