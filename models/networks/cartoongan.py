"""The networks of CartoonGAN (Chen et al., CVPR 2018), as its author's code or its port builds them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from torch import Tensor, nn

from models.networks.blocks.convolution_block import ConvBlock
from models.networks.blocks.norms import NormFactory, affine_instance_norm, plain_instance_norm
from models.networks.blocks.residual_generator import ResidualGenerator
from models.networks.blocks.strided_discriminator import StridedDiscriminator, StridedLayer
from models.networks.blocks.up_blocks import TransposedPairUp
from models.networks.config import ConfigError
from models.networks.translation import Translation

SLOPE: Final = 0.2
"""Of the discriminator's leaky ReLUs."""
STRIDES: Final = (1, 2, 1, 2, 1, 1)
"""Of the discriminator's convolutions before the logit."""
WIDTHS: Final = (1, 2, 4, 4, 8, 8)
"""Their channels, in base channels."""
NORMALIZED: Final = (2, 4, 5)
"""Which of them have a normalisation, counted from 0."""


@dataclass(frozen=True, kw_only=True)
class CartoonganGeneratorConfig:
    """The shape and the options of the generator."""

    channels: int = 64
    """Base channels c: the encoder goes 3 -> c -> 2c -> 4c."""
    blocks: int = 8
    """Residual blocks."""
    reflect: bool = True
    """Pad the 7x7 convolutions and the residual blocks by reflection, as the author's code does; false for
    zeros everywhere, as the port does."""
    affine_instance_norm: bool = True
    """Let instance normalisation learn a scale and a shift, as in the author's code; the port's does not."""

    def __post_init__(self) -> None:
        if self.channels < 1 or self.blocks < 1:
            raise ConfigError(
                f"channels and blocks must be at least 1, got {self.channels} and {self.blocks}."
            )


@dataclass(frozen=True, kw_only=True)
class CartoonganDiscriminatorConfig:
    """The shape and the options of the discriminator."""

    channels: int = 32
    """Channels of the first convolution; the widest have 8 times as many."""
    affine_instance_norm: bool = True
    """Let instance normalisation learn a scale and a shift, as in the author's code; the port's does not."""

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ConfigError(f"channels must be at least 1, got {self.channels}.")


class CartoonganGenerator(ResidualGenerator):
    """Translates photos `[B, 3, H, W]` in [-1, 1]; H and W are multiples of 4, and at least 8."""

    def __init__(self, config: CartoonganGeneratorConfig) -> None:
        norm = _norm(affine=config.affine_instance_norm)
        super().__init__(
            channels=config.channels,
            blocks=config.blocks,
            down=partial(_down, norm=norm),
            up=partial(_up, norm=norm),
            pad_mode="reflect" if config.reflect else "zero",
            norm=norm,
            relu_after_sum=False,
        )
        self.config = config

    def forward(self, x: Tensor) -> Translation:  # [B, 3, H, W]
        return Translation(self.image(x))


def cartoongan_discriminator(config: CartoonganDiscriminatorConfig) -> StridedDiscriminator:
    """Return a patch discriminator: `[B, 3, H, W]` in [-1, 1] to logits `[B, 1, H/4, W/4]`.

    A logit is high where a picture looks like a cartoon with clear edges.
    """
    norm = _norm(affine=config.affine_instance_norm)
    return StridedDiscriminator(
        3,
        [
            StridedLayer(
                width * config.channels,
                kernel=3,
                stride=stride,
                pad=1,
                norm=norm if number in NORMALIZED else None,
            )
            for number, (width, stride) in enumerate(zip(WIDTHS, STRIDES, strict=True))
        ],
        logit=StridedLayer(1, kernel=3, stride=1, pad=1, norm=None),
        pad_mode="zero",
        bias=True,
        slope=SLOPE,
    )


def _norm(*, affine: bool) -> NormFactory:
    return affine_instance_norm if affine else plain_instance_norm


def _down(inputs: int, outputs: int, *, norm: NormFactory) -> list[ConvBlock]:
    """Return a convolution of stride 2 and directly another one, then a normalisation."""
    return [
        _zero_padded(inputs, outputs, stride=2, norm=None, activation=None),
        _zero_padded(outputs, outputs, stride=1, norm=norm, activation=nn.ReLU()),
    ]


def _zero_padded(
    inputs: int, outputs: int, *, stride: int, norm: NormFactory | None, activation: nn.Module | None
) -> ConvBlock:
    return ConvBlock(
        inputs,
        outputs,
        kernel=3,
        stride=stride,
        pad=1,
        pad_mode="zero",
        bias=True,
        norm=norm,
        activation=activation,
    )


def _up(inputs: int, outputs: int, *, norm: NormFactory) -> TransposedPairUp:
    return TransposedPairUp(
        inputs, outputs, pad_mode="zero", bias=True, crop="start", norm=norm, activation=nn.ReLU()
    )
