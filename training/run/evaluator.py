"""The interface of an evaluation while a run trains: what `training.run` needs of `training.evaluation`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from torch import nn

from training.checkpoint.manifest import CheckpointFigure
from training.config.run_config import RunConfig

Say = Callable[[str], None]
"""Prints a sentence."""


class Evaluated(NamedTuple):
    """The figures of one step."""

    directions: Mapping[str, float]
    """By direction, `A2B` and `B2A`; lower is better."""
    figure: CheckpointFigure
    """Their mean, which ranks the checkpoint."""


class EvaluationFailedError(Exception):
    """The figures of a step could not be measured. The message is one sentence; the run can go on."""


class Evaluator(Protocol):
    """Measures generators on the test pictures. It must not draw from a global random generator."""

    def evaluate(
        self, generators: Mapping[str, nn.Module], *, step: int, advance: Callable[[], None]
    ) -> Evaluated:
        """Return the figures of `genA2B` and `genB2A`, in evaluation mode; they stay as they are.

        Args:
            generators: the networks by name.
            step: the step of their weights, for messages.
            advance: called after each batch; an exception that it raises ends the evaluation.

        Raises:
            EvaluationFailedError: a picture can no longer be read, or a network returns values that are not
                finite.
        """


OpenEvaluator = Callable[[RunConfig, Path, str, Say], Evaluator]
"""Open the evaluator of a run, from its config, the data set's folder, the device and a way to print."""
