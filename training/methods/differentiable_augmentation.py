"""Augment what discriminators see, with gradients through it (Zhao et al., NeurIPS 2020).

Discriminators learn a small set of training pictures by heart. Randomly changed pictures, real and translated
alike, delay that; because the changes are differentiable, the generator still learns from the result, and
because both kinds are changed alike, it does not learn to make changed pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from models.networks.config import ConfigError


@dataclass(frozen=True, kw_only=True)
class DiscriminatorAugmentation:
    """The largest changes, each drawn uniformly for every picture; 0 is none."""

    brightness: float = 0.0
    """Added to all values, in levels of [-1, 1]: up to this much up or down."""
    saturation: float = 0.0
    """The distance of each colour from its grey is multiplied by 1 - saturation to 1 + saturation."""
    contrast: float = 0.0
    """The distance of each value from the picture's mean is multiplied by 1 - contrast to 1 + contrast."""
    shift: float = 0.0
    """The picture is moved by up to this share of its side, in both axes; its edges are reflected."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value, most = getattr(self, each.name), 0.5 if each.name == "shift" else 1
            if not 0 <= value <= most:
                raise ConfigError(
                    f"discriminator_augmentation.{each.name} must be from 0 to {most}, got {value}."
                )

    def __call__(self, pictures: Tensor) -> Tensor:
        """Return changed pictures, `[B, 3, S, S]`; the draws come from torch's global generator."""
        if self.brightness:
            pictures = pictures + _uniform(pictures, self.brightness)
        if self.saturation:
            pictures = _scaled(pictures, (1,), 1 + _uniform(pictures, self.saturation))
        if self.contrast:
            pictures = _scaled(pictures, (1, 2, 3), 1 + _uniform(pictures, self.contrast))
        if self.shift:
            pictures = _shifted(pictures, round(self.shift * pictures.shape[-1]))
        return pictures


def _uniform(pictures: Tensor, most: float) -> Tensor:
    """Return a number from -most to most for each picture, `[B, 1, 1, 1]`."""
    # Drawn on the CPU, so that a run on a GPU resumes by the one generator that every checkpoint holds.
    draws = (2 * torch.rand(len(pictures), 1, 1, 1, device="cpu") - 1) * most
    return draws.to(pictures.device, pictures.dtype)


def _scaled(pictures: Tensor, axes: tuple[int, ...], factors: Tensor) -> Tensor:
    """Multiply the distances from the mean over `axes`."""
    mean = pictures.mean(axes, keepdim=True)
    return torch.lerp(mean.expand_as(pictures), pictures, factors)


def _shifted(pictures: Tensor, most: int) -> Tensor:
    """Move each picture by up to `most` pixels in both axes."""
    side = pictures.shape[-1]
    padded = F.pad(pictures, (most,) * 4, mode="reflect")
    corners = torch.randint(2 * most + 1, (len(pictures), 2), device="cpu").tolist()
    return torch.stack(
        [each[:, y : y + side, x : x + side] for each, (y, x) in zip(padded, corners, strict=True)]
    )
