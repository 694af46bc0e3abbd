"""Run one direction over the test pictures: its features, and its figures picture by picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from training.evaluation.data import EvaluationData, Pixels
from training.evaluation.extractor import Extractor, FeatureArray
from training.evaluation.figures import FindFace, PerPicture, correct, l1, shares_in_faces, sharpness
from training.evaluation.reconstruct import picture_batches, reconstruct
from training.evaluation.subject import Direction

Advance = Callable[[int], None]
"""Called with the number of pictures just done."""


class Passes(NamedTuple):
    """The features and figures of one direction on the test pictures."""

    translations: FeatureArray
    reconstructions: FeatureArray | None
    """None without an opposite direction, or where they were not requested."""
    figures: Mapping[str, PerPicture]
    """By metric: one value for each source or each target picture, in order."""


def translation_features(
    direction: Direction, data: EvaluationData, extractor: Extractor, advance: Advance = lambda _: None
) -> FeatureArray:
    """Return the features of the translated sources alone, equal to those of `run_passes`.

    Raises:
        EvaluationError, DataError: as `run_passes`.
    """

    def translated() -> Iterator[Pixels]:
        for pixels in picture_batches(data, direction.source, direction.forth):
            yield from direction.forth.translate(pixels).image
            advance(len(pixels))

    return extractor.features(translated())


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
    again_features: list[FeatureArray] = []
    figures: dict[str, list[PerPicture]] = defaultdict(list)
    forth = direction.forth

    def translated() -> Iterator[Pixels]:
        """Yield the translations one by one: the extractor forms batches of its own size."""
        for pixels in picture_batches(data, direction.source, forth):
            answer = forth.translate(pixels)
            figures["sharpness"].append(sharpness(answer.image))
            if answer.cam_logit is not None:
                figures["cam-accuracy-source"].append(correct(answer.cam_logit, source=True))
            if find_face is not None and answer.attention is not None:
                figures["attention-in-face"].append(shares_in_faces(answer.attention, pixels, find_face))
            again = reconstruct(direction, answer.image, like=pixels)
            if again is not None:
                figures["cycle-l1"].append(l1(again, pixels))
                if reconstructions:
                    again_features.append(extractor.features(again))
            advance(len(pixels))
            yield from answer.image

    # The sources: translation, sharpness, CAM accuracy, attention in faces, and the cycle.
    translations = extractor.features(translated())

    # The targets, which a generator should not change and its classifier should recognise.
    for pixels in picture_batches(data, direction.target, forth):
        answer = forth.translate(pixels)
        figures["identity-l1"].append(l1(answer.image, pixels))
        figures["sharpness-target"].append(sharpness(pixels))
        if answer.cam_logit is not None:
            figures["cam-accuracy-target"].append(correct(answer.cam_logit, source=False))
        advance(len(pixels))

    return Passes(
        translations,
        np.concatenate(again_features) if again_features else None,
        {name: np.concatenate(parts) for name, parts in figures.items()},
    )
