"""The networks of CycleGAN (Zhu et al., ICCV 2017, arXiv 1703.10593), as its PyTorch code builds them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from models.networks.blocks.convolution_block import ConvBlock
from models.networks.blocks.norms import plain_instance_norm
from models.networks.blocks.residual_generator import ResidualGenerator
from models.networks.blocks.strided_discriminator import StridedDiscriminator, StridedLayer
from models.networks.blocks.up_blocks import TransposedUp
from models.networks.config import ConfigError
from models.networks.translation import Translation

SLOPE = 0.2
"""Of the discriminator's leaky ReLUs."""


@dataclass(frozen=True, kw_only=True)
class CycleganGeneratorConfig:
    """The shape of one generator."""

    channels: int = 64
    """Base channels c: the encoder goes 3 -> c -> 2c -> 4c."""
    blocks: int = 9
    """Residual blocks; the paper uses 6 for pictures of 128 px, and 9 from 256 px on."""

    def __post_init__(self) -> None:
        if self.channels < 1 or self.blocks < 1:
            raise ConfigError(
                f"channels and blocks must be at least 1, got {self.channels} and {self.blocks}."
            )


@dataclass(frozen=True, kw_only=True)
class CycleganDiscriminatorConfig:
    """The shape of one discriminator."""

    channels: int = 64
    """Channels of the first convolution; each following one doubles them, up to 8 times as many."""
    layers: int = 3
    """Convolutions with stride 2; two with stride 1 follow. 3 judge patches of 70 px."""

    def __post_init__(self) -> None:
        if self.channels < 1 or self.layers < 1:
            raise ConfigError(
                f"channels and layers must be at least 1, got {self.channels} and {self.layers}."
            )

    @property
    def smallest_size(self) -> int:
        """The smallest height and width of a picture, in pixels, that gives at least one logit."""
        # Each stride of 2 halves the map, and each of the last two convolutions removes one row and column.
        return 3 << self.layers


class CycleganGenerator(ResidualGenerator):
    """Translates pictures `[B, 3, H, W]` in [-1, 1]; H and W are multiples of 4, and at least 8."""

    def __init__(self, config: CycleganGeneratorConfig) -> None:
        super().__init__(
            channels=config.channels,
            blocks=config.blocks,
            down=_down,
            up=_up,
            pad_mode="reflect",
            norm=plain_instance_norm,
            relu_after_sum=False,
        )
        self.config = config

    def forward(self, x: Tensor) -> Translation:  # [B, 3, H, W]
        return Translation(self.image(x))


def cyclegan_discriminator(config: CycleganDiscriminatorConfig) -> StridedDiscriminator:
    """Return a patch discriminator: `[B, 3, H, W]` in [-1, 1] to logits `[B, 1, h, w]`, at 256 px 30x30.

    A logit is near 1 where a picture looks real, and near 0 where it looks fake.
    """
    widths = [config.channels * min(2**i, 8) for i in range(config.layers + 1)]
    strides = [2] * config.layers + [1]
    norms = [None, *[plain_instance_norm] * config.layers]
    return StridedDiscriminator(
        3,
        [
            StridedLayer(outputs, kernel=4, stride=stride, pad=1, norm=norm)
            for outputs, stride, norm in zip(widths, strides, norms, strict=True)
        ],
        logit=StridedLayer(1, kernel=4, stride=1, pad=1, norm=None),
        pad_mode="zero",
        bias=True,
        slope=SLOPE,
    )


def _down(inputs: int, outputs: int) -> list[ConvBlock]:
    return [
        ConvBlock(
            inputs,
            outputs,
            kernel=3,
            stride=2,
            pad=1,
            pad_mode="zero",
            bias=True,
            norm=plain_instance_norm,
            activation=nn.ReLU(),
        )
    ]


def _up(inputs: int, outputs: int) -> TransposedUp:
    return TransposedUp(
        inputs, outputs, bias=True, crop="start", norm=plain_instance_norm, activation=nn.ReLU()
    )
