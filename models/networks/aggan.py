"""The networks of AGGAN (Mejjati et al., NeurIPS 2018, arXiv 1806.02311), as its TensorFlow code runs them.

Two choices are not in the paper: the attention network's decoder has 1x1 kernels, and the discriminators lose
their normalisation in the second phase.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.blocks.convolution_block import ConvBlock
from models.networks.blocks.norms import affine_instance_norm
from models.networks.blocks.residual_block import ResidualBlock
from models.networks.blocks.residual_generator import ResidualGenerator
from models.networks.blocks.strided_discriminator import StridedDiscriminator, StridedLayer
from models.networks.blocks.up_blocks import TransposedUp
from models.networks.config import ConfigError
from models.networks.translation import Translation

SLOPE: Final = 0.2
"""Of the discriminator's leaky ReLUs."""


@dataclass(frozen=True, kw_only=True)
class AgganGeneratorConfig:
    """The shape of one generator and of its attention network."""

    channels: int = 32
    """Base channels c: the encoder goes 3 -> c -> 2c -> 4c, that of the attention network 3 -> c -> 2c."""
    blocks: int = 9
    """Residual blocks of the generator; the attention network has one."""

    def __post_init__(self) -> None:
        if self.channels < 1 or self.blocks < 1:
            raise ConfigError(
                f"channels and blocks must be at least 1, got {self.channels} and {self.blocks}."
            )


@dataclass(frozen=True, kw_only=True)
class AgganDiscriminatorConfig:
    """The shape of one discriminator."""

    channels: int = 64
    """Channels of the first convolution; each following one doubles them, up to 8 times as many."""

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ConfigError(f"channels must be at least 1, got {self.channels}.")


class AgganGenerator(nn.Module):
    """Translates pictures `[B, 3, H, W]` in [-1, 1] where its attention network looks (equation 1).

    H and W are multiples of 4, and at least 8.
    """

    def __init__(self, config: AgganGeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.whole_picture = WholePictureGenerator(config)
        self.attention = AttentionNetwork(config)

    def forward(self, x: Tensor) -> Translation:  # [B, 3, H, W]
        mask = self.attention(x)  # [B, 1, H, W]; where it is near 0, the image is the input
        return Translation(self.whole_picture(x) * mask + x * (1 - mask), attention=mask.squeeze(1))


class WholePictureGenerator(ResidualGenerator):
    """Translates every pixel of pictures `[B, 3, H, W]` in [-1, 1]."""

    def __init__(self, config: AgganGeneratorConfig) -> None:
        super().__init__(
            channels=config.channels,
            blocks=config.blocks,
            down=lambda inputs, outputs: [_down(inputs, outputs)],
            up=_up,
            pad_mode="zero",
            norm=affine_instance_norm,
            relu_after_sum=True,
        )

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        return self.image(x)


class AttentionNetwork(nn.Module):
    """Returns the mask `[B, 1, H, W]` in (0, 1) of pictures `[B, 3, H, W]`.

    The official decoder doubles its map twice by repeating values, before 1x1 convolutions. These and
    instance normalisation treat repeated values alike, so here the decoder works on the small map and only
    the mask is enlarged: the same function in a fraction of the time.
    """

    def __init__(self, config: AgganGeneratorConfig) -> None:
        super().__init__()
        c = config.channels
        self.encoder = nn.Sequential(
            ConvBlock(
                3,
                c,
                kernel=7,
                stride=2,
                pad=3,
                pad_mode="reflect",
                bias=True,
                norm=affine_instance_norm,
                activation=nn.ReLU(),
            ),  # [B, c, H/2, W/2]
            _down(c, 2 * c),  # [B, 2c, H/4, W/4]
            ResidualBlock(
                2 * c, pad_mode="reflect", bias=True, norm=affine_instance_norm, relu_after_sum=True
            ),
        )
        self.decoder = nn.Sequential(_pointwise(2 * c, 2 * c), _pointwise(2 * c, c))
        self.to_mask = nn.Conv2d(c, 1, 1)

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        small = self.to_mask(self.decoder(self.encoder(x))).sigmoid()  # [B, 1, H/4, W/4]
        return F.interpolate(small, scale_factor=4.0, mode="nearest")


class AgganDiscriminator(StridedDiscriminator):
    """A patch discriminator of pictures `[B, 3, H, W]` that are 0 outside a mask.

    Its logits `[B, 1, h, w]`, 35x35 at 256 px, are near 1 where a picture looks real, and near 0 where it
    looks fake.
    """

    def __init__(self, config: AgganDiscriminatorConfig) -> None:
        self.config = config
        widths = [config.channels * 2**i for i in range(4)]
        super().__init__(
            3,
            [
                StridedLayer(outputs, kernel=4, stride=stride, pad=2, norm=affine_instance_norm)
                for outputs, stride in zip(widths, (2, 2, 2, 1), strict=True)
            ],
            logit=StridedLayer(1, kernel=4, stride=1, pad=2, norm=None),
            pad_mode="zero",
            bias=True,
            slope=SLOPE,
        )

    def without_norms(self, x: Tensor) -> Tensor:  # [B, 3, H, W] to [B, 1, h, w]
        """Return the logits of the second phase of the training, in which the normalisations are off."""
        for block in self.blocks:
            assert isinstance(block, ConvBlock)
            x = block.conv(x)
            x = x if block.activation is None else block.activation(x)
        return x


def _down(inputs: int, outputs: int) -> ConvBlock:
    # TensorFlow's padding SAME of a map of even height and width: below and to the right only.
    return ConvBlock(
        inputs,
        outputs,
        kernel=3,
        stride=2,
        pad=(0, 1, 0, 1),
        pad_mode="zero",
        bias=True,
        norm=affine_instance_norm,
        activation=nn.ReLU(),
    )


def _up(inputs: int, outputs: int) -> TransposedUp:
    return TransposedUp(
        inputs, outputs, bias=True, crop="end", norm=affine_instance_norm, activation=nn.ReLU()
    )


def _pointwise(inputs: int, outputs: int) -> ConvBlock:
    return ConvBlock(
        inputs,
        outputs,
        kernel=1,
        stride=1,
        pad=0,
        pad_mode="zero",
        bias=True,
        norm=affine_instance_norm,
        activation=nn.ReLU(),
    )
