"""The generator: an encoder, the CAM, a decoder that adapts to what the CAM attends to (figure 1)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from models.networks.attention import CAM
from models.networks.config import GeneratorConfig
from models.networks.normalization import (
    EPSILON,
    AdaLIN,
    Style,
    decoder_normalization,
    upsampling_normalization,
)


class Translation(NamedTuple):
    """What a generator answers."""

    image: Tensor  # [B, 3, S, S], in [-1, 1]
    cam_logit: Tensor | None  # [B, 2], high where the input looks like the source domain; None without a CAM
    attention: Tensor | None  # [B, S/4, S/4], at least 0; None without a CAM


class Generator(nn.Module):
    """Translates pictures of one domain into another, `[B, 3, S, S]` in [-1, 1] to a `Translation`.

    The full generator takes pictures of its own size only; the light one any height and width divisible by 4.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        c = config.channels
        self.encoder = nn.Sequential(
            *_convolution(3, c, kernel=7),
            *_convolution(c, 2 * c, stride=2),
            *_convolution(2 * c, 4 * c, stride=2),
            *(EncoderBlock(4 * c) for _ in range(config.blocks)),
        )
        self.cam = CAM(4 * c) if config.cam else None
        self.style = Style(self._style_inputs(), 4 * c) if self._adaptive() else None
        self.decoder = nn.ModuleList(DecoderBlock(config) for _ in range(config.blocks))
        self.upsampling = nn.Sequential(*_upsampling(config, 4 * c, 2 * c), *_upsampling(config, 2 * c, c))
        self.to_image = nn.Sequential(nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7, bias=False), nn.Tanh())

    def forward(self, x: Tensor) -> Translation:  # [B, 3, S, S]
        features = self.encoder(x)  # [B, 4c, S/4, S/4]
        cam_logit = attention = None
        if self.cam is not None:
            features, cam_logit, attention = self.cam(features)
        style = self._style(features)
        for block in self.decoder:
            features = block(features, style)
        features = self.upsampling(features)  # [B, c, S, S]
        return Translation(self.to_image(features), cam_logit, attention)

    def _style(self, features: Tensor) -> tuple[Tensor, Tensor] | None:
        if self.style is None:
            return None
        pooled = features.mean((2, 3)) if self.config.light else features.flatten(1)
        style: tuple[Tensor, Tensor] = self.style(pooled)
        return style

    def _adaptive(self) -> bool:
        return self.config.normalization in ("adalin", "adain")

    def _style_inputs(self) -> int:
        channels = 4 * self.config.channels
        return channels if self.config.light else channels * (self.config.size // 4) ** 2


class EncoderBlock(nn.Module):
    """A residual block with instance normalisation and no activation after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*_convolution(channels, channels), *_convolution(channels, channels)[:-1])

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w]
        result: Tensor = x + self.body(x)
        return result


class DecoderBlock(nn.Module):
    """A residual block whose two normalisations take the picture's style, if they are adaptive."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels = 4 * config.channels
        self.pad = nn.ReflectionPad2d(1)
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, channels, 3, bias=False)
        self.conv2 = nn.Conv2d(channels, channels, 3, bias=False)
        self.norm1 = decoder_normalization(config.normalization, channels, unbiased=config.unbiased_variance)
        self.norm2 = decoder_normalization(config.normalization, channels, unbiased=config.unbiased_variance)

    def forward(self, x: Tensor, style: tuple[Tensor, Tensor] | None) -> Tensor:  # [B, C, h, w], [B, C] twice
        hidden = self.relu(_normalize(self.norm1, self.conv1(self.pad(x)), style))
        return x + _normalize(self.norm2, self.conv2(self.pad(hidden)), style)


def _normalize(norm: nn.Module, x: Tensor, style: tuple[Tensor, Tensor] | None) -> Tensor:
    result: Tensor = norm(x, *style) if isinstance(norm, AdaLIN) and style is not None else norm(x)
    return result


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> list[nn.Module]:
    return [
        nn.ReflectionPad2d(kernel // 2),
        nn.Conv2d(inputs, outputs, kernel, stride, bias=False),
        nn.InstanceNorm2d(outputs, eps=EPSILON),
        nn.ReLU(),
    ]


def _upsampling(config: GeneratorConfig, inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.ReflectionPad2d(1),
        nn.Conv2d(inputs, outputs, 3, bias=False),
        upsampling_normalization(config.normalization, outputs, unbiased=config.unbiased_variance),
        nn.ReLU(),
    ]
