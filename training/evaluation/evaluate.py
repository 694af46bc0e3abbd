"""Evaluate translators: compute features and figures of all test pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from training.data.folder import DOMAINS, Domain
from training.evaluation.data import EvaluationData
from training.evaluation.distances import Distances, MakeRow
from training.evaluation.errors import EvaluationError
from training.evaluation.extractor import Extractor, FeatureArray
from training.evaluation.figures import FindFace, PerPicture
from training.evaluation.passes import Advance, run_passes
from training.evaluation.rows import Row
from training.evaluation.subject import Direction, Subject

UNTRANSLATED: Final = "untranslated"
"""The subject of the baseline: the sources themselves against the targets."""

_OF_TARGETS: Final = frozenset({"identity-l1", "cam-accuracy-target", "sharpness-target"})

RealFeatures = Mapping[Domain, FeatureArray]


class KeptFeatures(NamedTuple):
    """All features of one direction, from which its figures can be computed again."""

    source: FeatureArray
    target: FeatureArray
    translation: FeatureArray
    reconstruction: FeatureArray | None


class DirectionResult(NamedTuple):
    """The figures, remarks and features of one direction."""

    rows: list[Row]
    remarks: list[str]
    features: KeptFeatures


class Evaluation(NamedTuple):
    """The figures, remarks and features of all subjects."""

    rows: list[Row]
    baselines: list[Row]
    remarks: list[str]
    features: dict[str, dict[str, KeptFeatures]]
    """By subject and direction."""


def evaluate(
    subjects: Iterable[Subject],
    data: EvaluationData,
    distances: Distances,
    *,
    reconstructions: bool = False,
    find_face: FindFace | None = None,
    advance: Advance = lambda _: None,
) -> Evaluation:
    """Measure every direction of every subject.

    Args:
        subjects: what is evaluated; an iterator can open one after the other, so that not all are in memory.
        data: the test pictures.
        distances: how features are compared.
        reconstructions: whether the features of reconstructions are kept.
        find_face: finds the face in a source picture, for the figure of attention in faces.
        advance: called with the number of pictures just done; the numbers sum up to `count_pictures`.

    Raises:
        EvaluationError: a network returns values that are not finite.
        DataError: a picture can no longer be read.
    """
    real = real_features(data, distances.extractor, advance)
    untranslated = partial(Row, subject=UNTRANSLATED, direction="A2B", domains="A2B")
    result = Evaluation([], distances.plain(untranslated, real["A"], real["B"]), [], {})
    for subject in subjects:
        for direction in subject.directions:
            measured = measure(
                subject,
                direction,
                data,
                real,
                distances,
                reconstructions=reconstructions,
                find_face=find_face,
                advance=advance,
            )
            result.rows.extend(measured.rows)
            result.remarks.extend(measured.remarks)
            result.features.setdefault(subject.name, {})[direction.name] = measured.features
    return result


def count_pictures(subjects: Sequence[Subject], data: EvaluationData) -> int:
    """Return the number of pictures that `evaluate` reports to `advance`."""
    passes = 1 + sum(len(subject.directions) for subject in subjects)
    return passes * sum(data.count(domain) for domain in DOMAINS)


def real_features(
    data: EvaluationData, extractor: Extractor, advance: Advance = lambda _: None
) -> RealFeatures:
    """Return the features of the test pictures themselves, which all subjects share."""
    features = {}
    for domain in DOMAINS:
        features[domain] = extractor.features(data.pictures(domain))
        advance(data.count(domain))
    return features


def measure(
    subject: Subject,
    direction: Direction,
    data: EvaluationData,
    real: RealFeatures,
    distances: Distances,
    *,
    reconstructions: bool = False,
    find_face: FindFace | None = None,
    advance: Advance = lambda _: None,
) -> DirectionResult:
    """Return the rows of one direction, and its features.

    Args:
        subject: whose direction it is.
        direction: what translates.
        data: the test pictures.
        real: their features.
        distances: how features are compared.
        reconstructions, find_face, advance: as in `evaluate`.

    Raises:
        EvaluationError, DataError: as in `evaluate`.
    """
    passes = run_passes(
        direction,
        data,
        distances.extractor,
        reconstructions=reconstructions,
        find_face=find_face,
        advance=advance,
    )
    sources, targets = real[direction.source], real[direction.target]
    row = partial(
        Row,
        subject=subject.name,
        direction=direction.name,
        domains=f"{direction.source}2{direction.target}",
        steps=subject.steps,
    )
    rows, remarks = distances.plain(row, passes.translations, targets), []
    try:
        rows += distances.paper(row, translations=passes.translations, sources=sources, targets=targets)
    except EvaluationError as error:
        remarks.append(f"{subject.name}, {direction.name}: no figures of the paper's protocols. {error}")
    rows += [_mean_row(row, metric, values) for metric, values in passes.figures.items() if len(values)]
    features = KeptFeatures(sources, targets, passes.translations, passes.reconstructions)
    return DirectionResult(rows, remarks, features)


def _mean_row(row: MakeRow, metric: str, values: PerPicture) -> Row:
    counted = "n_targets" if metric in _OF_TARGETS else "n_sources"
    return row(metric=metric, value=float(values.mean()), **{counted: len(values)})
