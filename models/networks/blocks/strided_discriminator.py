"""One discriminator of strided convolutions, and the wrapper that asks several at different scales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.blocks.convolution_block import ConvBlock, PadMode
from models.networks.blocks.norms import NormFactory


class StridedLayer(NamedTuple):
    """One convolution of a discriminator."""

    outputs: int
    kernel: int
    stride: int
    pad: int
    norm: NormFactory | None


class StridedDiscriminator(nn.Module):
    """A patch discriminator: convolutions with leaky ReLUs, then one without to the logits."""

    def __init__(
        self,
        inputs: int,
        layers: Sequence[StridedLayer],
        *,
        logit: StridedLayer,
        pad_mode: PadMode,
        bias: bool,
        slope: float,
    ) -> None:
        """
        Args:
            inputs: channels of the input.
            layers: the convolutions that a leaky ReLU follows.
            logit: the last convolution, which none follows.
            pad_mode: of every padding.
            bias: whether the convolutions have one.
            slope: of the leaky ReLUs.
        """
        super().__init__()
        channels = [inputs, *(layer.outputs for layer in layers)]
        self.blocks = nn.ModuleList(
            ConvBlock(
                before,
                layer.outputs,
                kernel=layer.kernel,
                stride=layer.stride,
                pad=layer.pad,
                pad_mode=pad_mode,
                bias=bias,
                norm=layer.norm,
                activation=None if layer is logit else nn.LeakyReLU(slope),
            )
            for before, layer in zip(channels, [*layers, logit], strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:  # [B, C, H, W] to [B, 1, h, w]
        for block in self.blocks:
            x = block(x)
        return x


class MultiScaleDiscriminator(nn.Module):
    """Independent discriminators of a picture and of its halves, quarters, and so on."""

    def __init__(self, scales: Iterable[nn.Module]) -> None:
        """
        Args:
            scales: the discriminators, that of the full size first.
        """
        super().__init__()
        self.scales = nn.ModuleList(scales)

    def forward(self, x: Tensor) -> list[Tensor]:  # [B, C, H, W] to the logits of every scale
        logits = []
        for discriminator in self.scales:
            logits.append(discriminator(x))
            x = halve(x)
        return logits


def halve(x: Tensor) -> Tensor:
    """Return a map of half the height and width: the means of 3x3 values, which do not count the padding."""
    return F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
