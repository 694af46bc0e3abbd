"""DRIT's encoders: of the content of a picture, and of its attribute."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.blocks.convolution_block import ConvBlock
from models.networks.blocks.norms import NormFactory, plain_instance_norm
from models.networks.blocks.residual_block import ResidualBlock
from models.networks.drit.config import SLOPE, DritConfig

ATTRIBUTE_SLOPE: Final = 0.2
"""Of the leaky ReLUs of the attribute encoder in the mode concat."""
_BLOCKS: Final = 3


class Attribute(NamedTuple):
    """What an attribute encoder returns for pictures."""

    mean: Tensor  # [B, d]; in the mode feature-wise, the attribute itself
    log_variance: Tensor | None  # [B, d]; None in the mode feature-wise


class ContentEncoder(nn.Module):
    """Encodes pictures `[B, 3, H, W]` in [-1, 1] of any domain; H and W are multiples of 4.

    The domains share the last residual block.
    """

    def __init__(self, config: DritConfig, domains: Sequence[str]) -> None:
        super().__init__()
        self.private = nn.ModuleDict({domain: _private_encoder(config) for domain in domains})
        self.shared = _residual_block(config.features)

    def forward(self, x: Tensor, domain: str) -> Tensor:
        """Return the content `[B, 4c, H/4, W/4]` of pictures of a domain, without the noise of training."""
        content: Tensor = self.shared(self.private[domain](x))
        return content


class AttributeEncoder(nn.Module):
    """Encodes the attribute of pictures `[B, 3, H, W]` in [-1, 1]: one network for each domain."""

    def __init__(self, config: DritConfig, domains: Sequence[str]) -> None:
        super().__init__()
        kind = ConcatAttribute if config.mode == "concat" else FeatureWiseAttribute
        self.private = nn.ModuleDict({domain: kind(config) for domain in domains})

    def forward(self, x: Tensor, domain: str) -> Attribute:
        """Return the attribute of pictures of a domain."""
        attribute: Attribute = self.private[domain](x)
        return attribute


class DritStyleEncoder(nn.Module):
    """Encodes the style code `[B, d]` of pictures of one domain: the mean of their attributes."""

    def __init__(self, encoder: AttributeEncoder, domain: str) -> None:
        super().__init__()
        self.attribute = encoder.private[domain]

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        attribute: Attribute = self.attribute(x)
        return attribute.mean


class ConcatAttribute(nn.Module):
    """Encodes the distribution of attributes: its mean and the logarithm of its variance."""

    def __init__(self, config: DritConfig) -> None:
        super().__init__()
        c = config.channels
        self.first = _attribute_layer(3, c, kernel=4, stride=2, pad=1)
        self.blocks = nn.Sequential(*(HalvingBlock(n * c, (n + 1) * c) for n in range(1, 4)))
        self.mean = nn.Linear(config.features, config.style)
        self.log_variance = nn.Linear(config.features, config.style)

    def forward(self, x: Tensor) -> Attribute:  # [B, 3, H, W]
        features = self.blocks(self.first(x))  # [B, 4c, H/16, W/16]
        pooled = F.leaky_relu(features, ATTRIBUTE_SLOPE).mean((2, 3))  # [B, 4c]
        return Attribute(self.mean(pooled), self.log_variance(pooled))


class FeatureWiseAttribute(nn.Module):
    """Encodes the attribute itself, without a distribution."""

    def __init__(self, config: DritConfig) -> None:
        super().__init__()
        c = config.channels
        widths = (c, 2 * c, 4 * c, 4 * c, 4 * c)
        self.blocks = nn.Sequential(
            _attribute_layer(3, c, kernel=7, stride=1, pad=3, activation=nn.ReLU()),
            *(
                _attribute_layer(inputs, outputs, kernel=4, stride=2, pad=1, activation=nn.ReLU())
                for inputs, outputs in pairwise(widths)
            ),
        )
        self.attribute = nn.Conv2d(config.features, config.style, 1)

    def forward(self, x: Tensor) -> Attribute:  # [B, 3, H, W]
        pooled = self.blocks(x).mean((2, 3), keepdim=True)  # [B, 4c, 1, 1]
        return Attribute(self.attribute(pooled).flatten(1), None)


class HalvingBlock(nn.Module):
    """A residual block that halves its map: `[B, C, h, w]` to `[B, K, h/2, w/2]`."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = _attribute_layer(inputs, inputs, kernel=3, stride=1, pad=1)
        self.second = _attribute_layer(inputs, outputs, kernel=3, stride=1, pad=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(F.leaky_relu(x, ATTRIBUTE_SLOPE))
        hidden = self.second(F.leaky_relu(hidden, ATTRIBUTE_SLOPE))
        shortcut: Tensor = self.shortcut(F.avg_pool2d(x, 2))
        return F.avg_pool2d(hidden, 2) + shortcut


def _private_encoder(config: DritConfig) -> nn.Sequential:
    c = config.channels
    return nn.Sequential(
        _layer(3, c, kernel=7, stride=1, norm=None, activation=nn.LeakyReLU(SLOPE)),
        _layer(c, 2 * c, kernel=3, stride=2, norm=plain_instance_norm, activation=nn.ReLU()),
        _layer(2 * c, 4 * c, kernel=3, stride=2, norm=plain_instance_norm, activation=nn.ReLU()),
        *(_residual_block(4 * c) for _ in range(_BLOCKS)),
    )


def _residual_block(channels: int) -> ResidualBlock:
    return ResidualBlock(
        channels, pad_mode="reflect", bias=True, norm=plain_instance_norm, relu_after_sum=False
    )


def _layer(
    inputs: int, outputs: int, *, kernel: int, stride: int, norm: NormFactory | None, activation: nn.Module
) -> ConvBlock:
    return ConvBlock(
        inputs,
        outputs,
        kernel=kernel,
        stride=stride,
        pad=kernel // 2,
        pad_mode="reflect",
        bias=True,
        norm=norm,
        activation=activation,
    )


def _attribute_layer(
    inputs: int, outputs: int, *, kernel: int, stride: int, pad: int, activation: nn.Module | None = None
) -> ConvBlock:
    return ConvBlock(
        inputs,
        outputs,
        kernel=kernel,
        stride=stride,
        pad=pad,
        pad_mode="reflect",
        bias=True,
        norm=None,
        activation=activation,
    )
