"""The generator: an encoder, the CAM, a decoder that adapts to what the CAM attends to (figure 1)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from models.networks.attention import CAM
from models.networks.config import GeneratorConfig
from models.networks.layers import Layers, convolution
from models.networks.normalization import (
    EPSILON,
    AdaLIN,
    InstanceNorm,
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
        self.encoder = Layers(
            *_convolution(config, 3, c, kernel=7),
            *_convolution(config, c, 2 * c, stride=2),
            *_convolution(config, 2 * c, 4 * c, stride=2),
            *(EncoderBlock(config) for _ in range(config.blocks)),
        )
        self.cam = CAM(4 * c, shared=config.shared_cam) if config.cam else None
        self.style = _style_layers(config) if config.adaptive else None
        self.decoder = nn.ModuleList(DecoderBlock(config) for _ in range(config.blocks))
        self.upsampling = Layers(*_upsampling(config, 4 * c, 2 * c), *_upsampling(config, 2 * c, c))
        self.to_image = Layers(nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7, bias=config.biases), nn.Tanh())

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


class EncoderBlock(nn.Module):
    """A residual block with instance normalisation and no activation after the sum."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels = 4 * config.channels
        self.body = Layers(
            *_convolution(config, channels, channels), *_convolution(config, channels, channels)[:-1]
        )

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w]
        result: Tensor = x + self.body(x)
        return result


class DecoderBlock(nn.Module):
    """A residual block whose two normalisations take the picture's style, if they are adaptive."""

    quick = False

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels = 4 * config.channels
        self.pad = nn.ReflectionPad2d(1)
        self.relu = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, channels, 3, bias=config.biases)
        self.conv2 = nn.Conv2d(channels, channels, 3, bias=config.biases)
        self.norm1 = decoder_normalization(config, channels)
        self.norm2 = decoder_normalization(config, channels)

    def forward(self, x: Tensor, style: tuple[Tensor, Tensor] | None) -> Tensor:  # [B, C, h, w], [B, C] twice
        hidden = self.relu(_normalize(self.norm1, self._convolved(x, self.conv1), style))
        return x + _normalize(self.norm2, self._convolved(hidden, self.conv2), style)

    def _convolved(self, x: Tensor, conv: nn.Conv2d) -> Tensor:
        return convolution(x, conv, [self.pad], quick=self.quick)


def _normalize(norm: nn.Module, x: Tensor, style: tuple[Tensor, Tensor] | None) -> Tensor:
    result: Tensor = norm(x, *style) if isinstance(norm, AdaLIN) and style is not None else norm(x)
    return result


def _style_layers(config: GeneratorConfig) -> Style:
    features = 4 * config.channels
    inputs = features if config.light else features * (config.size // 4) ** 2
    width = features if config.style_width == "features" else config.channels * config.blocks
    return Style(inputs, features, width=width, biases=config.biases)


def _convolution(
    config: GeneratorConfig, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1
) -> list[nn.Module]:
    return [
        nn.ReflectionPad2d(kernel // 2),
        nn.Conv2d(inputs, outputs, kernel, stride, bias=config.biases),
        InstanceNorm(outputs, eps=EPSILON, affine=config.affine_instance_norm),
        nn.ReLU(),
    ]


def _upsampling(config: GeneratorConfig, inputs: int, outputs: int) -> list[nn.Module]:
    return [
        nn.Upsample(scale_factor=2, mode="nearest"),
        nn.ReflectionPad2d(1),
        nn.Conv2d(inputs, outputs, 3, bias=config.biases),
        upsampling_normalization(config, outputs),
        nn.ReLU(),
    ]
