"""Evaluate a run while it trains: at which steps, with which weights, and what becomes of the figures."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence

from training.checkpoint.folders import folder_of
from training.checkpoint.read import read_manifest
from training.checkpoint.write import record_figure
from training.config.run_config import RunConfig
from training.export.translator import Translator
from training.journal.journal import Journal
from training.methods.method import Method
from training.methods.running_average import RunningAverage
from training.run.evaluator import EvaluationFailedError, Evaluator
from training.run.signals import Stop
from training.run_folder.folder import RunFolder


class _Stopped(Exception):  # noqa: N818
    """A signal ended an evaluation; the resumed run repeats it."""


def is_due(config: RunConfig, step: int) -> bool:
    """Return whether a run evaluates the weights of this step: every `evaluate_every` steps, and the last."""
    every = config.evaluate_every
    return every > 0 and step > 0 and (step % every == 0 or step == config.steps)


def lacks_figure(run: RunFolder, config: RunConfig, step: int) -> bool:
    """Return whether the checkpoint of a step should have a figure and has none: its run was stopped before.

    Raises:
        CheckpointError: there is no such checkpoint.
    """
    return is_due(config, step) and read_manifest(folder_of(run.checkpoints, step)).figure is None


class Evaluations:
    """Evaluates the averaged weights of a run, and records the figures. Only process 0 has one."""

    def __init__(
        self,
        run: RunFolder,
        method: Method,
        average: RunningAverage | None,
        journal: Journal,
        evaluator: Evaluator,
    ) -> None:
        """
        Args:
            run: the folder with the checkpoints.
            method: the networks.
            average: their running average; without one the raw weights are evaluated.
            journal: records the figures.
            evaluator: measures them.
        """
        self._run, self._method, self._average = run, method, average
        self._journal, self._evaluator = journal, evaluator

    def evaluate(self, step: int, stop: Stop) -> None:
        """Evaluate the weights of a step, and write the figure into its checkpoint, which must exist.

        A requested stop ends the evaluation; the resumed run repeats it. Where the evaluation fails, the run
        continues with a warning.

        Raises:
            CheckpointError: the figure could not be written; the checkpoint is complete.
        """

        def end_if_stopped() -> None:
            if stop.requested:
                raise _Stopped

        started = time.perf_counter()
        try:
            evaluated = self._evaluator.evaluate(self._translators(), step=step, advance=end_if_stopped)
        except _Stopped:
            return
        except EvaluationFailedError as error:
            self._journal.warn(f"step {step:,} could not be evaluated: {error}")
            return
        seconds = time.perf_counter() - started
        self._journal.write_evaluation(step, evaluated.directions, evaluated.figure, seconds=seconds)
        record_figure(self._run.checkpoints, step, evaluated.figure)

    def _translators(self) -> Sequence[Translator]:
        """Return those of the averaged networks, or of copies of the raw ones, which keep their mode."""
        if self._average is not None:
            return self._method.translators(self._average.networks)
        networks = self._method.networks
        copies = {name: copy.deepcopy(networks[name]) for name in self._method.averaged_networks}
        return self._method.translators(copies)
