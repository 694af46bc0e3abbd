"""VGG19 (Simonyan & Zisserman, ICLR 2015) up to conv4_4, whose features are CartoonGAN's content."""

from __future__ import annotations

from typing import Final, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

VggInput = Literal["unit", "caffe"]
"""What the weights expect: RGB from 0 to 1; or BGR from 0 to 255 less the channels' means, at 224 px."""

WIDTHS: Final = (1, 1, 0, 2, 2, 0, 4, 4, 4, 4, 0, 8, 8, 8, 8)
"""Output channels of the 3x3 convolutions, in base channels; 0 is a pooling."""
CHANNELS: Final = 64
CAFFE_SIZE: Final = 224
CAFFE_MEANS: Final = (103.939, 116.779, 123.68)
"""Of blue, green and red."""


class VggFeatures(nn.Module):
    """The output of conv4_4, before its ReLU: pictures `[B, 3, H, W]` in [-1, 1] to `[B, 8c, H/8, W/8]`.

    Its parameters have the names of torchvision's file, `features.0.weight` to `features.25.bias`.
    """

    def __init__(self, *, channels: int = CHANNELS, expects: VggInput = "unit") -> None:
        super().__init__()
        self.expects = expects
        layers: list[nn.Module] = []
        inputs = 3
        for width in WIDTHS:
            if width:
                layers += [nn.Conv2d(inputs, width * channels, 3, padding=1), nn.ReLU()]
                inputs = width * channels
            else:
                layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-1])  # the last ReLU is left out

    def forward(self, x: Tensor) -> Tensor:  # [B, 3, H, W]
        features: Tensor = self.features(_caffe(x) if self.expects == "caffe" else (x + 1) / 2)
        return features


def _caffe(x: Tensor) -> Tensor:
    """Return pictures as Caffe's VGG19 expects them, `[B, 3, 224, 224]`."""
    resized = F.interpolate(x, (CAFFE_SIZE, CAFFE_SIZE), mode="bilinear", align_corners=True)
    levels = (resized.flip(1) + 1) * 127.5  # blue first
    return levels - torch.tensor(CAFFE_MEANS, dtype=x.dtype, device=x.device)[:, None, None]
