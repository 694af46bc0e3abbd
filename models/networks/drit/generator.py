"""DRIT's generator, which decodes contents and attributes, and the translator of one direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.blocks.convolution_block import ConvBlock
from models.networks.blocks.norms import drit_layer_norm, plain_instance_norm
from models.networks.blocks.residual_block import ResidualBlock
from models.networks.blocks.up_blocks import TransposedUp
from models.networks.drit.config import DritConfig
from models.networks.drit.encoders import ContentEncoder
from models.networks.translation import Translation

CONCAT_BLOCKS: Final = 3
FEATURE_WISE_BLOCKS: Final = 4


class DritGenerator(nn.Module):
    """Decodes contents `[B, 4c, h, w]` and attributes `[B, d]` into pictures `[B, 3, 4h, 4w]` in [-1, 1]."""

    def __init__(self, config: DritConfig, domains: Sequence[str]) -> None:
        super().__init__()
        concat = config.mode == "concat"
        kind = ConcatDecoder if concat else FeatureWiseDecoder
        self.shared = _plain_residual_block(config.features) if concat else None
        self.private = nn.ModuleDict({domain: kind(config) for domain in domains})

    def forward(self, content: Tensor, attribute: Tensor, domain: str) -> Tensor:
        """Return pictures of a domain."""
        features = content if self.shared is None else self.shared(content)
        picture: Tensor = self.private[domain](features, attribute)
        return picture


class DritTranslator(nn.Module):
    """Translates pictures of one domain into another, with attributes `[B, d]` of the target domain."""

    def __init__(
        self, encoder: ContentEncoder, generator: DritGenerator, *, source: str, target: str
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.generator = generator
        self.source = source
        self.target = target

    def forward(self, x: Tensor, attribute: Tensor) -> Translation:  # [B, 3, H, W], [B, d]
        content = self.encoder(x, self.source)  # [B, 4c, H/4, W/4]
        return Translation(self.generator(content, attribute, self.target))


class ConcatDecoder(nn.Module):
    """A decoder that appends the attribute to its map as constant channels, before each stage."""

    def __init__(self, config: DritConfig) -> None:
        super().__init__()
        d = config.style
        wide = config.features + d
        half = (wide + d) // 2
        quarter = (half + d) // 2
        self.blocks = nn.Sequential(*(_plain_residual_block(wide) for _ in range(CONCAT_BLOCKS)))
        self.up1 = _up(wide + d, half)
        self.up2 = _up(half + d, quarter)
        self.to_image = nn.Conv2d(quarter + d, 3, 1)

    def forward(self, x: Tensor, attribute: Tensor) -> Tensor:  # [B, 4c, h, w], [B, d]
        x = self.blocks(_append(x, attribute))  # [B, 4c + d, h, w]
        x = self.up1(_append(x, attribute))  # [B, 2c + d, 2h, 2w]
        x = self.up2(_append(x, attribute))  # [B, c + d, 4h, 4w]
        image: Tensor = self.to_image(_append(x, attribute)).tanh()
        return image


class FeatureWiseDecoder(nn.Module):
    """A decoder whose residual blocks each mix a part of the transformed attribute into their features."""

    def __init__(self, config: DritConfig) -> None:
        super().__init__()
        features = config.features
        self.mlp = nn.Sequential(
            nn.Linear(config.style, features),
            nn.ReLU(),
            nn.Linear(features, features),
            nn.ReLU(),
            nn.Linear(features, FEATURE_WISE_BLOCKS * features),
        )
        self.blocks = nn.ModuleList(MixingBlock(features) for _ in range(FEATURE_WISE_BLOCKS))
        self.up1 = _up(features, features // 2)
        self.up2 = _up(features // 2, features // 4)
        self.to_image = nn.Conv2d(features // 4, 3, 1)

    def forward(self, x: Tensor, attribute: Tensor) -> Tensor:  # [B, 4c, h, w], [B, d]
        parts = self.mlp(attribute).chunk(FEATURE_WISE_BLOCKS, 1)  # [B, 4c] each
        for block, part in zip(self.blocks, parts, strict=True):
            x = block(x, part)  # [B, 4c, h, w]
        image: Tensor = self.to_image(self.up2(self.up1(x))).tanh()  # [B, 3, 4h, 4w]
        return image


class MixingBlock(nn.Module):
    """A residual block that mixes an attribute `[B, C]` into its features `[B, C, h, w]` twice."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = (
            ConvBlock(
                channels,
                channels,
                kernel=3,
                stride=1,
                pad=1,
                pad_mode="reflect",
                bias=True,
                norm=plain_instance_norm,
                activation=None,
            )
            for _ in range(2)
        )
        self.mix1, self.mix2 = Mix(channels), Mix(channels)

    def forward(self, x: Tensor, part: Tensor) -> Tensor:
        hidden = self.mix1(self.conv1(x), part)
        mixed: Tensor = self.mix2(self.conv2(hidden), part)
        return x + mixed


class Mix(nn.Module):
    """Two 1x1 convolutions with ReLUs of features `[B, C, h, w]` and an attribute `[B, C]`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.both = nn.Conv2d(2 * channels, 2 * channels, 1)
        self.features = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor, part: Tensor) -> Tensor:
        # The attribute is equal at all pixels, so its half of the weights is multiplied only once a picture.
        for_x, for_part = self.both.weight.chunk(2, 1)  # [2C, C, 1, 1] each
        shift = F.linear(part, for_part.flatten(1), self.both.bias)  # [B, 2C]
        hidden = F.relu(F.conv2d(x, for_x) + shift[:, :, None, None])
        return F.relu(self.features(hidden))


def _append(x: Tensor, attribute: Tensor) -> Tensor:
    """Return a map with the attribute `[B, d]` as constant channels: `[B, C, h, w]` to `[B, C + d, h, w]`."""
    return torch.cat([x, attribute[:, :, None, None].expand(-1, -1, *x.shape[2:])], 1)


def _up(inputs: int, outputs: int) -> TransposedUp:
    return TransposedUp(inputs, outputs, bias=True, crop="start", norm=drit_layer_norm, activation=nn.ReLU())


def _plain_residual_block(channels: int) -> ResidualBlock:
    return ResidualBlock(
        channels, pad_mode="reflect", bias=True, norm=plain_instance_norm, relu_after_sum=False
    )
