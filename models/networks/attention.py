"""The CAM: auxiliary classifiers, the features re-weighted by them, and the heat map (section 2.1.1)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.spectral import spectral_norm


class Attended(NamedTuple):
    """What the CAM makes of a feature map."""

    features: Tensor  # [B, C, h, w]
    cam_logit: Tensor  # [B, 2], of the average-pool and the max-pool classifier
    attention: Tensor  # [B, h, w], the sum of the features over the channels


class CAM(nn.Module):
    """Classify by average and by max pooling, weight the features by both classifiers, merge the two.

    `conv1x1(cat(x * w_gap, x * w_gmp))` is one 1x1 convolution of x whose weights are the two halves scaled
    by the classifiers' weights: computed so, neither weighted copy of the features exists.
    """

    def __init__(
        self,
        channels: int,
        *,
        slope: float = 0.0,
        spectral: bool = False,
        raw_weight: bool = False,
        shared: bool = False,
    ) -> None:
        """
        Args:
            channels: C of the feature map.
            slope: of the leaky ReLU after the 1x1 convolution; 0 is the plain one.
            spectral: normalise the classifiers' weights spectrally.
            raw_weight: weight the features by the classifiers' weights before that normalisation.
            shared: one classifier, with a bias that is added to the features' weights too, serves both.
        """
        super().__init__()
        self.slope = slope
        self.raw_weight = raw_weight
        if shared:
            self.classifier = nn.Linear(channels, 1)
        else:
            self.gap = nn.Linear(channels, 1, bias=False)
            self.gmp = nn.Linear(channels, 1, bias=False)
        self.shared = shared
        for layer in dict.fromkeys(self.classifiers):
            if spectral:
                spectral_norm(layer)
        self.merge = nn.Conv2d(2 * channels, channels, 1)

    @property
    def classifiers(self) -> tuple[nn.Linear, nn.Linear]:
        """Of the average pool and of the max pool; twice the same if they share it."""
        return (self.classifier, self.classifier) if self.shared else (self.gap, self.gmp)

    def forward(self, x: Tensor) -> Attended:  # [B, C, h, w]
        for_average, for_maximum = self.classifiers
        w_gap = for_average.weight  # read once: each reading may move the power iteration
        w_gmp = w_gap if self.shared else for_maximum.weight
        gap_logit = F.linear(x.mean((2, 3)), w_gap, for_average.bias)
        gmp_logit = F.linear(x.amax((2, 3)), w_gmp, for_maximum.bias)
        features = F.conv2d(x, self.merged_weight(w_gap, w_gmp), self.merge.bias)
        features = F.leaky_relu(features, self.slope) if self.slope else F.relu(features)
        return Attended(features, torch.cat([gap_logit, gmp_logit], 1), features.sum(1))

    def merged_weight(self, w_gap: Tensor, w_gmp: Tensor) -> Tensor:
        """The weights of the one 1x1 convolution, `[C, C, 1, 1]`, from the classifiers', `[1, C]` each."""
        if self.raw_weight:
            w_gap, w_gmp = (raw_weight(layer) for layer in self.classifiers)
        if self.shared:
            w_gap, w_gmp = w_gap + self.classifier.bias, w_gmp + self.classifier.bias
        by_gap, by_gmp = self.merge.weight.chunk(2, 1)  # [C, C, 1, 1] each
        return by_gap * w_gap[..., None, None] + by_gmp * w_gmp[..., None, None]


def raw_weight(layer: nn.Module) -> Tensor:
    """A layer's weight before spectral normalisation, if it has any."""
    parametrizations = getattr(layer, "parametrizations", None)
    weight = layer.weight if parametrizations is None else parametrizations.weight.original
    assert isinstance(weight, Tensor)
    return weight
