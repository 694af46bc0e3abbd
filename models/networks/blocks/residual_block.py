"""One residual block: two 3x3 convolutions, and their input added to the result."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.blocks.convolution_block import ConvBlock, PadMode
from models.networks.blocks.norms import NormFactory, Style


class ResidualBlock(nn.Module):
    """Return `x + norm(conv(relu(norm(conv(x)))))`, with or without a ReLU after the sum."""

    def __init__(
        self, channels: int, *, pad_mode: PadMode, bias: bool, norm: NormFactory, relu_after_sum: bool
    ) -> None:
        super().__init__()
        self.relu_after_sum = relu_after_sum
        self.first, self.second = (
            ConvBlock(
                channels,
                channels,
                kernel=3,
                stride=1,
                pad=1,
                pad_mode=pad_mode,
                bias=bias,
                norm=norm,
                activation=activation,
            )
            for activation in (nn.ReLU(), None)
        )

    def forward(self, x: Tensor, styles: Sequence[Style] | None = None) -> Tensor:  # [B, C, h, w]
        """Return a map of the shape of x; adaptive normalisations need the `styles` of both."""
        first, second = (None, None) if styles is None else styles
        result: Tensor = x + self.second(self.first(x, first), second)
        return F.relu(result) if self.relu_after_sum else result
