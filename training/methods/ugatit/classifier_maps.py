"""The frozen classifier of a run, which part of its objective may see pictures through."""

from __future__ import annotations

from functools import cached_property

from torch import Tensor

from models.networks.config import ConfigError
from training.pretrained.feature_maps import CHANNELS, FeatureMaps
from training.pretrained.weights import PretrainedError


class ClassifierMaps:
    """The feature maps of pictures. The classifier does not learn, and is in no checkpoint.

    It computes in float32: on a CPU with AVX512-BF16, its depthwise convolutions took 1.5 times as long in
    bfloat16, forwards and backwards.
    """

    def __call__(self, pictures: Tensor, levels: int = len(CHANNELS)) -> list[Tensor]:
        """Return maps `[B, CHANNELS[i], s, s]` of pictures `[B, 3, S, S]`, the finest `levels` of them.

        Raises:
            ConfigError: the packages of the classifier are not installed.
        """
        maps: list[Tensor] = self.classifier.to(pictures.device)(pictures, levels)
        return maps

    @cached_property
    def classifier(self) -> FeatureMaps:
        """The classifier, loaded at its first use: translating needs only the generators."""
        try:
            return FeatureMaps()
        except PretrainedError as error:
            remedies = str(error).removesuffix(".")
            raise ConfigError(
                f"ugatit.weights.feature or ugatit.weights.nce is not 0, but {remedies}, or set both to 0."
            ) from None
