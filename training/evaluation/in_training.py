"""Evaluate a run while it trains: the plain kernel distance of both directions."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from training.checkpoint.manifest import CheckpointFigure
from training.config.run_config import RunConfig
from training.data.errors import DataError
from training.evaluation.choice import choose_extractor
from training.evaluation.data import EvaluationData, read_data
from training.evaluation.distances import Distances
from training.evaluation.errors import EvaluationError
from training.evaluation.evaluate import RealFeatures, real_features
from training.evaluation.inception import WEIGHTS
from training.evaluation.opening import network_directions
from training.evaluation.passes import translation_features
from training.evaluation.rows import Row
from training.evaluation.subject import Direction
from training.export.translator import Translator
from training.run.evaluator import Evaluated, EvaluationFailedError, Say

_REMEDY: Final = f"name the file {WEIGHTS} with --set inception_weights=FILE"


def open_evaluator(config: RunConfig, data: Path, device: str, say: Say) -> RunEvaluator:
    """Read the test pictures, choose the extractor, and compute the features of the pictures themselves.

    Args:
        config: of the run.
        data: the data set's folder.
        device: where the run computes.
        say: prints which extractor was chosen.

    Raises:
        EvaluationError: the run cannot be evaluated; the message is one sentence.
    """
    weights = Path(config.inception_weights) if config.inception_weights else None
    try:
        extractor, substitute = choose_extractor(None, weights, device=device, remedy=_REMEDY)
        pictures = read_data(data)
        if substitute is not None:
            say(
                f"Evaluations use {extractor.name}, because Inception's weights are not on this machine: the "
                f"figures are KID{extractor.suffix}, which cannot be compared with KID. For KID, {_REMEDY}."
            )
        return RunEvaluator(pictures, Distances(extractor, None, config.seed), device=device)
    except (EvaluationError, DataError) as error:
        sentence = str(error).removesuffix(".")
        raise EvaluationError(f"{sentence}; with evaluate_every=0 the run is not evaluated.") from error


class RunEvaluator:
    """Measures translators on the test pictures, whose own features it computes once."""

    def __init__(self, data: EvaluationData, distances: Distances, *, device: str) -> None:
        """
        Args:
            data: the test pictures.
            distances: how features are compared.
            device: where the networks are.
        """
        self._data, self._distances, self._device = data, distances, device
        self._real: RealFeatures = real_features(data, distances.extractor)

    def evaluate(
        self, translators: Sequence[Translator], *, step: int, advance: Callable[[], None]
    ) -> Evaluated:
        """Return the kernel distances of all directions and their mean.

        Raises:
            EvaluationFailedError: as `Evaluator` says.
        """
        directions = network_directions(f"step {step:,}", translators, device=self._device)
        try:
            rows = [self._row(direction, step, advance) for direction in directions]
        except (EvaluationError, DataError) as error:
            raise EvaluationFailedError(str(error)) from error
        return Evaluated({row.direction: row.value for row in rows}, self._figure(rows))

    def _row(self, direction: Direction, step: int, advance: Callable[[], None]) -> Row:
        features = translation_features(direction, self._data, self._distances.extractor, lambda _: advance())
        row = partial(
            Row,
            subject="run",
            direction=direction.name,
            domains=f"{direction.source}2{direction.target}",
            steps=step,
        )
        return self._distances.kernel(row, features, self._real[direction.target])

    def _figure(self, rows: Sequence[Row]) -> CheckpointFigure:
        """Return the mean over the directions."""
        extractor, first = self._distances.extractor, rows[0]
        assert first.protocol is not None, "a kernel distance has a protocol"
        return CheckpointFigure(
            value=statistics.fmean(row.value for row in rows),
            metric=first.metric,
            protocol=first.protocol,
            extractor=extractor.name,
            extractor_sha256=extractor.sha256,
            data=self._data.fingerprint,
        )
