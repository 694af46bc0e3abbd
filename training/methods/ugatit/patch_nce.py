"""PatchNCE: what a translation shows at a place must be recognised as what its source shows there.

Park et al., "Contrastive Learning for Unpaired Image-to-Image Translation" (ECCV 2020, arXiv 2007.15651).
They compare features of the generator's own encoder, at 256 random places, and the gradient passes through
the translation alone. We compare features of a frozen classifier, which the generator cannot train to suit
itself, at all places of two maps, and the projections also learn from the source. Their identity term,
PatchNCE of a translated picture of the target domain, is left out: U-GAT-IT has an identity loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

from models.networks.generator import GeneratorOutput
from models.networks.patch_projection import PatchProjection
from training.methods.learner import Terms
from training.methods.ugatit.classifier_maps import ClassifierMaps
from training.methods.ugatit.losses import patch_nce_terms
from training.methods.ugatit.translators import DIRECTIONS
from training.pretrained.feature_maps import CHANNELS

_LEVELS: Final = slice(1, 3)
"""Of the classifier's maps, those that are compared: of places of 8 px and of 16 px."""


class PatchNCE:
    """One learned projection of features for each direction: `projA2B`, `projB2A`."""

    def __init__(self, forward: Callable[..., Any], maps: ClassifierMaps) -> None:
        """
        Args:
            forward: runs a network, by name, under the compute settings.
            maps: computes the classifier's features of pictures.
        """
        self._forward = forward
        self._maps = maps
        self.networks: dict[str, nn.Module] = {
            f"proj{source}2{target}": PatchProjection(CHANNELS[_LEVELS]) for source, target in DIRECTIONS
        }
        """The networks that learn, with the generators: both gain where places are recognised."""

    def generator_terms(
        self, real: Mapping[str, Tensor], translations: Mapping[str, GeneratorOutput]
    ) -> Terms:
        """Return the loss terms of both generators, from pictures `[B, 3, S, S]` and their translations.

        Raises:
            ConfigError: the packages of the classifier are not installed.
        """
        terms: Terms = {}
        for source, target in DIRECTIONS:
            with torch.no_grad():
                keys = self._maps_of(real[source])
            queries = self._maps_of(translations[target].image)
            projected = [self._forward(f"proj{source}2{target}", *each) for each in (queries, keys)]
            terms |= patch_nce_terms(target, *projected)
        return terms

    def _maps_of(self, pictures: Tensor) -> list[Tensor]:
        return self._maps(pictures, _LEVELS.stop)[_LEVELS]  # [B, C, S / 8, S / 8], [B, C, S / 16, S / 16]
