"""The interface of an evaluation while a run trains: what `training.run` needs of `training.evaluation`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from training.checkpoint.manifest import CheckpointFigure
from training.config.run_config import RunConfig
from training.export.translator import Translator

Say = Callable[[str], None]
"""Prints a sentence."""


class Evaluated(NamedTuple):
    """The figures of one step."""

    directions: Mapping[str, float]
    """By direction, such as `A2B`; lower is better."""
    figure: CheckpointFigure
    """Their mean, which ranks the checkpoint."""


class EvaluationFailedError(Exception):
    """The figures of a step could not be measured. The message is one sentence; the run can go on."""


class Evaluator(Protocol):
    """Measures translators on the test pictures. It must not draw from a global random generator."""

    def evaluate(
        self, translators: Sequence[Translator], *, step: int, advance: Callable[[], None]
    ) -> Evaluated:
        """Return the figures of each direction; the networks are set to evaluation mode.

        Args:
            translators: of a method.
            step: the step of their weights, for messages.
            advance: called after each batch; an exception that it raises ends the evaluation.

        Raises:
            EvaluationFailedError: a picture can no longer be read, or a network returns values that are not
                finite.
        """


OpenEvaluator = Callable[[RunConfig, Path, str, Say], Evaluator]
"""Open the evaluator of a run, from its config, the data set's folder, the device and a way to print."""
