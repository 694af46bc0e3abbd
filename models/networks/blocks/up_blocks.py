"""Three blocks that double height and width: by nearest neighbours, transposed, and transposed with a 3x3."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from models.networks.blocks.convolution_block import ConvBlock, PadMode
from models.networks.blocks.norms import NormFactory

Crop = Literal["start", "end"]
"""Which side of the full result `[2H + 1, 2W + 1]` of a transposed 3x3 convolution loses a row and a column.
PyTorch's padding 1 with output padding 1 crops the start (top and left), TensorFlow's SAME the end."""


class NearestUp(ConvBlock):
    """Repeat each value 2x2, then pad, convolve, normalise and activate."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        pad_mode: PadMode,
        bias: bool,
        norm: NormFactory,
        activation: nn.Module,
    ) -> None:
        super().__init__(
            inputs,
            outputs,
            kernel=kernel,
            stride=1,
            pad=kernel // 2,
            pad_mode=pad_mode,
            bias=bias,
            norm=norm,
            activation=activation,
            upsample=True,
        )


class TransposedConv(nn.Module):
    """A transposed 3x3 convolution with stride 2: `[B, C, H, W]` to `[B, K, 2H, 2W]`."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool, crop: Crop) -> None:
        super().__init__()
        self.crop = crop
        inside = 1 if crop == "start" else 0
        self.conv = nn.ConvTranspose2d(inputs, outputs, 3, 2, inside, inside, bias=bias)

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W]
        result: Tensor = self.conv(x)
        return result if self.crop == "start" else result[..., :-1, :-1]


class TransposedUp(nn.Module):
    """A transposed convolution, a normalisation and an activation."""

    def __init__(
        self, inputs: int, outputs: int, *, bias: bool, crop: Crop, norm: NormFactory, activation: nn.Module
    ) -> None:
        super().__init__()
        self.up = TransposedConv(inputs, outputs, bias=bias, crop=crop)
        self.norm = norm(outputs)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W] to [B, K, 2H, 2W]
        result: Tensor = self.activation(self.norm(self.up(x)))
        return result


class TransposedPairUp(nn.Module):
    """A transposed convolution, directly a 3x3 convolution, then a normalisation and an activation."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        *,
        pad_mode: PadMode,
        bias: bool,
        crop: Crop,
        norm: NormFactory,
        activation: nn.Module,
    ) -> None:
        super().__init__()
        self.up = TransposedConv(inputs, outputs, bias=bias, crop=crop)
        self.block = ConvBlock(
            outputs,
            outputs,
            kernel=3,
            stride=1,
            pad=1,
            pad_mode=pad_mode,
            bias=bias,
            norm=norm,
            activation=activation,
        )

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W] to [B, K, 2H, 2W]
        result: Tensor = self.block(self.up(x))
        return result
