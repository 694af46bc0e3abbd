"""The discriminators (section 2.1.2): the local and the global one differ only in depth."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from models.networks.cam import CAM
from models.networks.config import DiscriminatorConfig
from models.networks.convolution import ConvSequential
from models.networks.spectral import SpectralConv2d

SLOPE = 0.2
"""Of every leaky ReLU."""


class DiscriminatorOutput(NamedTuple):
    """What a discriminator returns."""

    logit: Tensor  # [B, 1, h', w'], near 1 where the picture looks real, near 0 where it looks fake (LSGAN)
    cam_logit: Tensor | None  # [B, 2]; None without a CAM
    attention: Tensor | None  # [B, h, w], can be negative; None without a CAM


class Discriminator(nn.Module):
    """A patch discriminator for pictures `[B, 3, H, W]` in [-1, 1]: one logit per patch."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.channels * 2**i for i in range(config.layers - 1)]
        strides = [2] * (config.layers - 2) + [1]
        layers: list[nn.Module] = []
        for inputs, outputs, stride in zip([3, *widths], widths, strides, strict=False):
            layers += [
                _padding(config, stride),
                _convolution(config, inputs, outputs, stride),
                nn.LeakyReLU(SLOPE),
            ]
        self.features = ConvSequential(*layers)
        self.cam = (
            CAM(
                config.features,
                slope=SLOPE,
                spectral=config.spectral_norm,
                raw_weight=config.raw_cam_weight,
                shared=config.shared_cam,
            )
            if config.cam
            else None
        )
        self.to_logit = ConvSequential(
            _padding(config, 1),
            _convolution(config, config.features, 1, bias=config.last_bias),
        )

    def forward(self, x: Tensor) -> DiscriminatorOutput:  # [B, 3, H, W]
        # At 256 px the global one (7 layers) has [B, 2048, 7, 7] here, the local one (5) [B, 512, 31, 31].
        features = self.features(x)  # [B, c * 2^(layers - 2), h, w]
        cam_logit = attention = None
        if self.cam is not None:
            features, cam_logit, attention = self.cam(features)
        return DiscriminatorOutput(self.to_logit(features), cam_logit, attention)


def _convolution(
    config: DiscriminatorConfig, inputs: int, outputs: int, stride: int = 1, *, bias: bool = True
) -> nn.Conv2d:
    kind = SpectralConv2d if config.spectral_norm else nn.Conv2d
    return kind(inputs, outputs, 4, stride, bias=bias)


def _padding(config: DiscriminatorConfig, stride: int) -> nn.ReflectionPad2d:
    uneven = config.uneven_padding and stride == 1
    return nn.ReflectionPad2d((1, 2, 1, 2) if uneven else 1)
