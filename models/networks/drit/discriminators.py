"""DRIT's discriminators: of pictures at several scales, and of contents."""

from __future__ import annotations

from models.networks.blocks.strided_discriminator import (
    MultiScaleDiscriminator,
    StridedDiscriminator,
    StridedLayer,
)
from models.networks.drit.config import SLOPE, DritConfig


def image_discriminator(config: DritConfig) -> MultiScaleDiscriminator:
    """Return a discriminator of pictures `[B, 3, H, W]` in [-1, 1]: logits `[B, 1, h, w]` for each scale.

    A logit is the log-odds that a picture is real; at 256 px there are 16x16, 8x8 and 4x4.
    """
    return MultiScaleDiscriminator(_one_scale(config) for _ in range(config.scales))


def content_discriminator(config: DritConfig) -> StridedDiscriminator:
    """Return a discriminator of contents `[B, 4c, h, w]`: logits `[B, 1, h', w']`, one at 216 px.

    A logit is the log-odds that a content is one of the second domain.
    """
    strided = StridedLayer(config.features, kernel=7, stride=2, pad=1, norm=None)
    last = StridedLayer(config.features, kernel=4, stride=1, pad=0, norm=None)
    return StridedDiscriminator(
        config.features,
        [*[strided] * config.content_layers, last],
        logit=StridedLayer(1, kernel=1, stride=1, pad=0, norm=None),
        pad_mode="reflect",
        bias=True,
        slope=SLOPE,
    )


def _one_scale(config: DritConfig) -> StridedDiscriminator:
    return StridedDiscriminator(
        3,
        [StridedLayer(config.channels << n, kernel=4, stride=2, pad=1, norm=None) for n in range(4)],
        logit=StridedLayer(1, kernel=1, stride=1, pad=0, norm=None),
        pad_mode="reflect",
        bias=True,
        slope=SLOPE,
    )
