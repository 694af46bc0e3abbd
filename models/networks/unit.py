"""The networks of UNIT (Liu et al., NIPS 2017), as the code of MUNIT rewrote them: no shared weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from models.networks.blocks.convolution_block import ConvBlock
from models.networks.blocks.munit_layer_norm import MunitLayerNorm
from models.networks.blocks.norms import NormFactory, Style, plain_instance_norm
from models.networks.blocks.residual_block import ResidualBlock
from models.networks.blocks.strided_discriminator import (
    MultiScaleDiscriminator,
    StridedDiscriminator,
    StridedLayer,
)
from models.networks.blocks.up_blocks import NearestUp
from models.networks.config import ConfigError
from models.networks.translation import Translation

SLOPE = 0.2
"""Of the discriminators' leaky ReLUs."""


@dataclass(frozen=True, kw_only=True)
class UnitGeneratorConfig:
    """The shape of one domain's encoder and decoder."""

    channels: int = 64
    """Base channels c: the encoder goes 3 -> c -> 2c -> 4c."""
    blocks: int = 4
    """Residual blocks, in the encoder and in the decoder each."""

    def __post_init__(self) -> None:
        if self.channels < 1 or self.blocks < 1:
            raise ConfigError(
                f"channels and blocks must be at least 1, got {self.channels} and {self.blocks}."
            )


@dataclass(frozen=True, kw_only=True)
class ScalesConfig:
    """The shape of one domain's discriminators: equal ones for the picture, its half, its quarter."""

    channels: int = 64
    """Channels of the first convolution; each following one doubles them."""
    layers: int = 4
    """Convolutions with stride 2; one 1x1 convolution to the logit follows."""
    scales: int = 3
    """Discriminators, each for half the size of the one before."""

    def __post_init__(self) -> None:
        if self.channels < 1 or self.layers < 1 or self.scales < 1:
            raise ConfigError(
                "channels, layers and scales must be at least 1, got "
                f"{self.channels}, {self.layers} and {self.scales}."
            )

    @property
    def smallest_size(self) -> int:
        """The smallest height and width of a picture, in pixels, that every scale can judge."""
        # Each stride halves the map, and reflecting by 1 before the last one needs two pixels.
        return 1 << (self.layers + self.scales - 1)


class ContentEncoder(nn.Module):
    """Encodes pictures `[B, 3, H, W]` in [-1, 1] as `[B, 4c, H/4, W/4]`; H and W are multiples of 4."""

    def __init__(self, config: UnitGeneratorConfig) -> None:
        super().__init__()
        c = config.channels
        self.down = nn.Sequential(
            reflected(3, c, kernel=7, stride=1, norm=plain_instance_norm),  # [B, c, H, W]
            reflected(c, 2 * c, kernel=4, stride=2, norm=plain_instance_norm),  # [B, 2c, H/2, W/2]
            reflected(2 * c, 4 * c, kernel=4, stride=2, norm=plain_instance_norm),  # [B, 4c, H/4, W/4]
        )
        self.blocks = nn.Sequential(*residual_blocks(config, norm=plain_instance_norm))

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        content: Tensor = self.blocks(self.down(x))
        return content


class Decoder(nn.Module):
    """Decodes `[B, 4c, H/4, W/4]` to pictures `[B, 3, H, W]` in [-1, 1]."""

    def __init__(self, config: UnitGeneratorConfig, *, norm: NormFactory) -> None:
        """
        Args:
            config: of the generator.
            norm: makes the normalisations of the residual blocks.
        """
        super().__init__()
        c = config.channels
        self.blocks = nn.ModuleList(residual_blocks(config, norm=norm))
        self.upsampling = nn.Sequential(_up(4 * c, 2 * c), _up(2 * c, c))  # [B, c, H, W]
        self.to_image = reflected(c, 3, kernel=7, stride=1, norm=None, activation=nn.Tanh())

    def forward(self, content: Tensor, styles: Sequence[Sequence[Style]] | None = None) -> Tensor:
        """Return pictures; adaptive normalisations need the two `styles` of every block."""
        for index, block in enumerate(self.blocks):
            content = block(content, None if styles is None else styles[index])
        image: Tensor = self.to_image(self.upsampling(content))
        return image


class UnitGenerator(nn.Module):
    """The encoder and the decoder of one domain.

    The latent code is the mean of a normal distribution with deviation 1: training decodes a sample of it,
    a translation the mean. A picture is translated by its own domain's encoder and the other's decoder.
    """

    def __init__(self, config: UnitGeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ContentEncoder(config)
        self.decoder = Decoder(config, norm=plain_instance_norm)

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        """Return the reconstructions from the mean."""
        image: Tensor = self.decoder(self.encoder(x))
        return image


class UnitTranslator(nn.Module):
    """Translates pictures by the encoder of their domain and the decoder of the other; it draws no noise."""

    def __init__(self, encoder: ContentEncoder, decoder: Decoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder

    def forward(self, x: Tensor) -> Translation:  # [B, 3, H, W]
        return Translation(self.decoder(self.encoder(x)))


def scales_discriminator(config: ScalesConfig) -> MultiScaleDiscriminator:
    """Return one domain's discriminators for pictures `[B, 3, H, W]` in [-1, 1].

    They return the logits `[B, 1, h, w]` of each scale. A logit is near 1 where a picture looks
    real, and near 0 where it looks fake.
    """
    return MultiScaleDiscriminator(_discriminator(config) for _ in range(config.scales))


def _discriminator(config: ScalesConfig) -> StridedDiscriminator:
    return StridedDiscriminator(
        3,
        [
            StridedLayer(config.channels << layer, kernel=4, stride=2, pad=1, norm=None)
            for layer in range(config.layers)
        ],
        logit=StridedLayer(1, kernel=1, stride=1, pad=0, norm=None),
        pad_mode="reflect",
        bias=True,
        slope=SLOPE,
    )


def residual_blocks(config: UnitGeneratorConfig, *, norm: NormFactory) -> list[ResidualBlock]:
    """Return the residual blocks of an encoder or a decoder."""
    return [
        ResidualBlock(4 * config.channels, pad_mode="reflect", bias=True, norm=norm, relu_after_sum=False)
        for _ in range(config.blocks)
    ]


def reflected(
    inputs: int,
    outputs: int,
    *,
    kernel: int,
    stride: int,
    norm: NormFactory | None,
    activation: nn.Module | None = None,
) -> ConvBlock:
    """Return a convolution with reflected borders, a bias, and a ReLU unless told otherwise."""
    return ConvBlock(
        inputs,
        outputs,
        kernel=kernel,
        stride=stride,
        pad=(kernel - 1) // 2,
        pad_mode="reflect",
        bias=True,
        norm=norm,
        activation=nn.ReLU() if activation is None else activation,
    )


def _up(inputs: int, outputs: int) -> NearestUp:
    return NearestUp(
        inputs,
        outputs,
        kernel=5,
        pad_mode="reflect",
        bias=True,
        norm=MunitLayerNorm,
        activation=nn.ReLU(),
    )
