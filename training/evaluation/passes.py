"""Run one direction over the test pictures: its features, and its figures picture by picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from models.images.frame import resize
from training.data.folder import Domain
from training.evaluation.data import EvaluationData, Pixels, batches
from training.evaluation.extractor import Extractor, FeatureArray
from training.evaluation.figures import FindFace, PerPicture, correct, l1, shares_in_faces, sharpness
from training.evaluation.subject import Direction
from training.evaluation.translator import Translator

Advance = Callable[[int], None]
"""Called with the number of pictures just done."""

_BATCH: Final = 4


class Passes(NamedTuple):
    """The features and figures of one direction on the test pictures."""

    translations: FeatureArray
    reconstructions: FeatureArray | None
    """None without an opposite direction, or where they were not requested."""
    figures: Mapping[str, PerPicture]
    """By metric: one value for each source or each target picture, in order."""


def run_passes(
    direction: Direction,
    data: EvaluationData,
    extractor: Extractor,
    *,
    reconstructions: bool = False,
    find_face: FindFace | None = None,
    advance: Advance = lambda _: None,
) -> Passes:
    """Translate the sources and back, and translate pictures of the target domain (identity).

    Args:
        direction: what translates.
        data: the test pictures.
        extractor: of the features.
        reconstructions: whether to compute the features of reconstructions.
        find_face: finds the face in a source picture; without it there is no figure of attention in faces.
        advance: called after each batch.

    Raises:
        EvaluationError: a network returns values that are not finite.
        DataError: a picture can no longer be read.
    """
    features: dict[str, list[FeatureArray]] = defaultdict(list)
    figures: dict[str, list[PerPicture]] = defaultdict(list)
    forth = direction.forth

    # The sources: translation, sharpness, CAM accuracy, attention in faces, and the cycle.
    for pixels in _batches(data, direction.source, forth):
        answer = forth.translate(pixels)
        features["translations"].append(extractor.features(answer.image))
        figures["sharpness"].append(sharpness(answer.image))
        if answer.cam_logit is not None:
            figures["cam-accuracy-source"].append(correct(answer.cam_logit, source=True))
        if find_face is not None and answer.attention is not None:
            figures["attention-in-face"].append(shares_in_faces(answer.attention, pixels, find_face))
        if direction.back is not None:
            again = _resized(direction.back.translate(_fitting(answer.image, direction.back)).image, pixels)
            figures["cycle-l1"].append(l1(again, pixels))
            if reconstructions:
                features["reconstructions"].append(extractor.features(again))
        advance(len(pixels))

    # The targets, which a generator should not change and its classifier should recognise.
    for pixels in _batches(data, direction.target, forth):
        answer = forth.translate(pixels)
        figures["identity-l1"].append(l1(answer.image, pixels))
        figures["sharpness-target"].append(sharpness(pixels))
        if answer.cam_logit is not None:
            figures["cam-accuracy-target"].append(correct(answer.cam_logit, source=False))
        advance(len(pixels))

    again_features = features.get("reconstructions")
    return Passes(
        np.concatenate(features["translations"]),
        np.concatenate(again_features) if again_features else None,
        {name: np.concatenate(parts) for name, parts in figures.items()},
    )


def _batches(data: EvaluationData, domain: Domain, translator: Translator) -> Iterator[Pixels]:
    """Yield pictures at the translator's size, uint8 [N, H, W, 3]."""
    size = translator.size
    for batch in batches(data.stretched(domain, height=size.height, width=size.width), _BATCH):
        yield np.stack(batch)


def _fitting(pixels: Pixels, translator: Translator) -> Pixels:
    """Return pictures in a size that a translator takes: resized only where its size is fixed."""
    size = translator.size
    return _stretched(pixels, size.height, size.width) if size.fixed else pixels


def _resized(pixels: Pixels, like: Pixels) -> Pixels:
    return _stretched(pixels, like.shape[1], like.shape[2])


def _stretched(pixels: Pixels, height: int, width: int) -> Pixels:
    if pixels.shape[1:3] == (height, width):
        return pixels
    return np.stack([resize(each, height=height, width=width) for each in pixels])
