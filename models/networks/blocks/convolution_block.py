"""One convolution with what surrounds it: padding before, normalisation and activation after."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from models.networks.blocks.norms import NormFactory, Style
from models.networks.convolution import convolution

PadMode = Literal["reflect", "zero"]
Pad = int | tuple[int, int, int, int]
"""Rows and columns of padding: on every side, or left, right, top and bottom."""


class ConvBlock(nn.Module):
    """Pad, convolve, normalise, activate; each argument is a choice in which the methods differ."""

    fast = False

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        stride: int,
        pad: Pad,
        pad_mode: PadMode,
        bias: bool,
        norm: NormFactory | None,
        activation: nn.Module | None,
        upsample: bool = False,
    ) -> None:
        """
        Args:
            inputs: channels of the input.
            outputs: channels of the output.
            kernel: height and width of the kernel.
            stride: of the convolution.
            pad: rows and columns of padding.
            pad_mode: what they contain.
            bias: whether the convolution has one.
            norm: makes the normalisation after the convolution; None for none.
            activation: after the normalisation; None for none.
            upsample: double height and width by nearest neighbours before the padding.
        """
        super().__init__()
        inside = pad if pad_mode == "zero" and isinstance(pad, int) else 0
        self.before = nn.ModuleList()
        if upsample:
            self.before.append(nn.Upsample(scale_factor=2, mode="nearest"))
        if not inside and pad:
            self.before.append(nn.ReflectionPad2d(pad) if pad_mode == "reflect" else nn.ZeroPad2d(pad))
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, inside, bias=bias)
        self.norm = None if norm is None else norm(outputs)
        self.activation = activation

    def forward(self, x: Tensor, style: Style | None = None) -> Tensor:  # [B, C, H, W]
        x = convolution(x, self.conv, list(self.before), fast=self.fast)
        if self.norm is not None:
            x = self.norm(x) if style is None else self.norm(x, *style)
        return x if self.activation is None else self.activation(x)
