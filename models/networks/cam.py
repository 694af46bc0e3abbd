"""The CAM: auxiliary classifiers, features weighted by the classifiers, and the heat map (section 2.1.1)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.networks.spectral import spectral_norm


class CAMOutput(NamedTuple):
    """What the CAM returns for a feature map."""

    features: Tensor  # [B, C, h, w]
    cam_logit: Tensor  # [B, 2], of the average-pool and the max-pool classifier
    attention: Tensor  # [B, h, w], the sum of the features over the channels


class CAMParts(NamedTuple):
    """Parts of the attention that the CAM returns for a feature map, `[B, h, w]` each.

    The (leaky) ReLU before the sum is linear on each side of zero. So average + maximum + the share of the
    merge's bias is the attention.
    """

    average: Tensor
    """The share of the features weighted by the average-pool classifier."""
    maximum: Tensor
    """The share of the features weighted by the max-pool classifier."""
    classifier: Tensor
    """The class activation map of the average-pool classifier (Zhou et al., CVPR 2016): the sum over c of
    w_gap[c] x[c]. Its mean, plus the bias of a shared classifier, is that classifier's logit."""


class CAM(nn.Module):
    """Class activation map: weight the features by two classifiers and merge both results.

    The paper's attention features are `a = w * E(x)`, a classifier's weight times each feature map. One
    classifier follows average pooling (w_gap), the other max pooling (w_gmp). The merge
    `conv1x1(cat(x * w_gap, x * w_gmp))` equals one 1x1 convolution of x whose two halves of weights are
    scaled by w_gap and w_gmp. Computed that way, no weighted copy of the features is stored.
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
            slope: of the leaky ReLU after the 1x1 convolution; 0 is a plain ReLU.
            spectral: apply spectral normalisation to the classifiers' weights.
            raw_weight: weight the features by the classifiers' weights before spectral normalisation.
            shared: use one classifier for both poolings; its bias is added to the features' weights too.
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
        for classifier in dict.fromkeys(self.classifiers):
            if spectral:
                spectral_norm(classifier)
        self.merge = nn.Conv2d(2 * channels, channels, 1)

    @property
    def classifiers(self) -> tuple[nn.Linear, nn.Linear]:
        """The classifiers of the average pool and of the max pool; the same one twice if it is shared."""
        return (self.classifier, self.classifier) if self.shared else (self.gap, self.gmp)

    def forward(self, x: Tensor) -> CAMOutput:  # [B, C, h, w]
        gap, gmp = self.classifiers
        # Read each weight once: in training mode every read runs a step of the power iteration.
        w_gap = gap.weight  # [1, C]
        w_gmp = w_gap if self.shared else gmp.weight  # [1, C]
        gap_logit = F.linear(x.mean((2, 3)), w_gap, gap.bias)  # [B, 1]
        gmp_logit = F.linear(x.amax((2, 3)), w_gmp, gmp.bias)  # [B, 1]
        features = F.conv2d(x, self.merged_weight(w_gap, w_gmp), self.merge.bias)  # [B, C, h, w]
        features = F.leaky_relu(features, self.slope) if self.slope else F.relu(features)
        return CAMOutput(features, torch.cat([gap_logit, gmp_logit], 1), features.sum(1))

    def merged_weight(self, w_gap: Tensor, w_gmp: Tensor) -> Tensor:
        """Return the weights `[C, C, 1, 1]` of the one 1x1 convolution, from those of the classifiers.

        Args:
            w_gap: the weight `[1, C]` of the average-pool classifier.
            w_gmp: the weight `[1, C]` of the max-pool classifier.
        """
        for_gap, for_gmp = self.weight_halves(w_gap, w_gmp)
        return for_gap + for_gmp

    def weight_halves(self, w_gap: Tensor, w_gmp: Tensor) -> tuple[Tensor, Tensor]:
        """Return the share of each pool's classifier in `merged_weight`, `[C, C, 1, 1]` each."""
        if self.raw_weight:
            w_gap, w_gmp = (raw_weight(classifier) for classifier in self.classifiers)
        if self.shared:
            w_gap, w_gmp = w_gap + self.classifier.bias, w_gmp + self.classifier.bias
        for_gap, for_gmp = self.merge.weight.chunk(2, 1)  # [C, C, 1, 1] each
        return for_gap * w_gap[..., None, None], for_gmp * w_gmp[..., None, None]

    def parts(self, x: Tensor) -> CAMParts:  # [B, C, h, w]
        """Return the parts of the attention for the features before the CAM."""
        w_gap, w_gmp = (classifier.weight for classifier in self.classifiers)  # [1, C] each
        for_gap, for_gmp = (F.conv2d(x, half) for half in self.weight_halves(w_gap, w_gmp))  # [B, C, h, w]
        before = F.conv2d(x, self.merged_weight(w_gap, w_gmp), self.merge.bias)  # [B, C, h, w]
        slopes = torch.where(before > 0, x.new_ones(()), self.slope)  # in x's precision
        classifier = F.conv2d(x, w_gap[..., None, None]).squeeze(1)
        return CAMParts((slopes * for_gap).sum(1), (slopes * for_gmp).sum(1), classifier)


def raw_weight(layer: nn.Module) -> Tensor:
    """Return a layer's weight before spectral normalisation, or its weight if it has none."""
    parametrizations = getattr(layer, "parametrizations", None)
    weight = layer.weight if parametrizations is None else parametrizations.weight.original
    assert isinstance(weight, Tensor)
    return weight
