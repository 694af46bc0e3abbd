"""A generator of residual blocks: two strided steps down, blocks, two steps up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from models.networks.blocks.convolution_block import ConvBlock, PadMode
from models.networks.blocks.norms import NormFactory
from models.networks.blocks.residual_block import ResidualBlock

Down = Callable[[int, int], Sequence[nn.Module]]
"""Makes the layers that halve a map, from its channels and theirs."""
Up = Callable[[int, int], nn.Module]
"""Makes the layer that doubles a map, from its channels and its own."""


class ResidualGenerator(nn.Module):
    """Makes pictures `[B, 3, H, W]` in [-1, 1] of others; H and W are multiples of 4, and at least 8."""

    def __init__(
        self,
        *,
        channels: int,
        blocks: int,
        down: Down,
        up: Up,
        pad_mode: PadMode,
        norm: NormFactory,
        relu_after_sum: bool,
    ) -> None:
        """
        Args:
            channels: base channels c.
            blocks: residual blocks.
            down: makes each of the two steps down.
            up: makes each of the two steps up.
            pad_mode: what the padding of the 7x7 convolutions and of the residual blocks contains.
            norm: makes the normalisations of the first convolution and of the residual blocks.
            relu_after_sum: whether the residual blocks end with a ReLU.
        """
        super().__init__()
        c = channels
        self.encoder = nn.Sequential(
            _wide(3, c, pad_mode=pad_mode, norm=norm, activation=nn.ReLU()),  # [B, c, H, W]
            *down(c, 2 * c),  # [B, 2c, H/2, W/2]
            *down(2 * c, 4 * c),  # [B, 4c, H/4, W/4]
        )
        self.blocks = nn.Sequential(
            *(
                ResidualBlock(4 * c, pad_mode=pad_mode, bias=True, norm=norm, relu_after_sum=relu_after_sum)
                for _ in range(blocks)
            )
        )
        self.upsampling = nn.Sequential(up(4 * c, 2 * c), up(2 * c, c))  # [B, c, H, W]
        self.to_image = _wide(c, 3, pad_mode=pad_mode, norm=None, activation=nn.Tanh())

    def image(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        """Return the pictures."""
        features = self.blocks(self.encoder(x))  # [B, 4c, H/4, W/4]
        image: Tensor = self.to_image(self.upsampling(features))
        return image


def _wide(
    inputs: int, outputs: int, *, pad_mode: PadMode, norm: NormFactory | None, activation: nn.Module
) -> ConvBlock:
    return ConvBlock(
        inputs,
        outputs,
        kernel=7,
        stride=1,
        pad=3,
        pad_mode=pad_mode,
        bias=True,
        norm=norm,
        activation=activation,
    )
