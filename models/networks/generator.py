"""The generator (section 2.1.1, figure 1): an encoder, the CAM, and a decoder with AdaLIN."""

from __future__ import annotations

from torch import Tensor, nn

from models.networks.cam import CAM
from models.networks.config import GeneratorConfig
from models.networks.convolution import ConvSequential, convolution
from models.networks.normalization import (
    EPSILON,
    AdaLIN,
    InstanceNorm,
    StyleMLP,
    decoder_normalization,
    upsampling_normalization,
)
from models.networks.translation import Translation

GeneratorOutput = Translation
"""The attention is a heat map `[B, S/4, S/4]`, at least 0; it and the logits are None without a CAM."""


class Generator(nn.Module):
    """A generator that translates pictures `[B, 3, S, S]` in [-1, 1] of one domain into another.

    The full generator takes only pictures of its config's size; the light one takes any height and width that
    are multiples of 4.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        c = config.channels
        self.encoder = ConvSequential(
            *_convolution(config, 3, c, kernel=7),  # [B, c, S, S]
            *_convolution(config, c, 2 * c, stride=2),  # [B, 2c, S/2, S/2]
            *_convolution(config, 2 * c, 4 * c, stride=2),  # [B, 4c, S/4, S/4]
            *(EncoderBlock(config) for _ in range(config.blocks)),
        )
        self.cam = CAM(4 * c, shared=config.shared_cam) if config.cam else None
        self.style = _style_mlp(config) if config.adaptive else None
        self.decoder = nn.ModuleList(DecoderBlock(config) for _ in range(config.blocks))
        self.upsampling = ConvSequential(
            *_upsampling(config, 4 * c, 2 * c),  # [B, 2c, S/2, S/2]
            *_upsampling(config, 2 * c, c),  # [B, c, S, S]
        )
        self.to_image = ConvSequential(
            nn.ReflectionPad2d(3), nn.Conv2d(c, 3, 7, bias=config.biases), nn.Tanh()
        )

    def forward(self, x: Tensor) -> GeneratorOutput:  # [B, 3, S, S]
        features = self.encoder(x)  # [B, 4c, S/4, S/4], in the paper [B, 256, 64, 64]
        cam_logit = attention = None
        if self.cam is not None:
            features, cam_logit, attention = self.cam(features)  # the features keep their shape
        style = self._style(features)
        for block in self.decoder:
            features = block(features, style)  # [B, 4c, S/4, S/4]
        features = self.upsampling(features)  # [B, c, S, S]
        return GeneratorOutput(self.to_image(features), cam_logit, attention)

    def _style(self, features: Tensor) -> tuple[Tensor, Tensor] | None:
        """Return gamma and beta, `[B, 4c]` each, or None if the decoder's normalisation takes none."""
        if self.style is None:
            return None
        # Light: [B, 4c]; full: [B, 4c * S/4 * S/4], which is why the full one has 268 M parameters more.
        pooled = features.mean((2, 3)) if self.config.light else features.flatten(1)
        style: tuple[Tensor, Tensor] = self.style(pooled)
        return style


class EncoderBlock(nn.Module):
    """A residual block with instance normalisation and without an activation after the sum."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        channels = 4 * config.channels
        self.body = ConvSequential(
            *_convolution(config, channels, channels), *_convolution(config, channels, channels)[:-1]
        )

    def forward(self, x: Tensor) -> Tensor:  # [B, C, h, w]
        result: Tensor = x + self.body(x)
        return result


class DecoderBlock(nn.Module):
    """A residual block whose two normalisations take gamma and beta of the picture if they are adaptive."""

    fast = False

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
        return convolution(x, conv, [self.pad], fast=self.fast)


def _normalize(norm: nn.Module, x: Tensor, style: tuple[Tensor, Tensor] | None) -> Tensor:
    result: Tensor = norm(x, *style) if isinstance(norm, AdaLIN) and style is not None else norm(x)
    return result


def _style_mlp(config: GeneratorConfig) -> StyleMLP:
    features = 4 * config.channels
    inputs = features if config.light else features * (config.size // 4) ** 2
    width = features if config.style_width == "features" else config.channels * config.blocks
    return StyleMLP(inputs, features, width=width, biases=config.biases)


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
