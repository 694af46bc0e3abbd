"""Train the variants of an ablation by turns, so that all have the same number of steps after each turn."""

from __future__ import annotations

import dataclasses
import math
import shutil
import time
from functools import partial
from pathlib import Path

from rich.console import Console

from training.ablation.folder import RunsFolder, RunsPlan
from training.ablation.variants import Variant
from training.config.run_config import RunConfig, differences
from training.console.phrases import format_duration
from training.evaluation.in_training import open_evaluator
from training.methods.finite_updates import NonFiniteError
from training.parallel.processes import Processes
from training.run.fit import resume_run, start_run
from training.run_folder.folder import RunError, RunFolder


class Turns:
    """The turns of an ablation: whose is next, how long all will take, and which variants failed."""

    def __init__(self, folder: RunsFolder, plan: RunsPlan) -> None:
        self._folder, self._plan = folder, plan
        self._steps, self._length = plan.config.steps, plan.config.save_every
        self._seconds = dict(plan.step_seconds)
        self.failed: dict[str, str] = {}
        """Why a variant could not be trained to the end, by its folder."""

    def train(self, data: Path, processes: Processes, console: Console) -> None:
        """Train until every variant has all its steps, has failed, or is trained by another process.

        Raises:
            Interrupted: a signal asked to stop; the state was saved.
            RunError: a variant's run was changed.
            Exception: what `start_run` and `resume_run` raise, except for updates that are not finite.
        """
        busy: set[str] = set()
        while (variant := self._next(busy)) is not None:
            with self._folder.claimed(variant) as ours:
                if ours:
                    self._take(variant, data, processes, console)
                    busy.clear()
                else:
                    busy.add(variant.folder)

    def unfinished(self) -> list[Variant]:
        """Return the variants that need more steps and have not failed."""
        return [
            each
            for each in self._plan.variants
            if each.folder not in self.failed and self._folder.steps_done(each) < self._steps
        ]

    def _next(self, busy: set[str]) -> Variant | None:
        """Return the variant with the fewest steps, of equal ones the first."""
        waiting = [each for each in self.unfinished() if each.folder not in busy]
        return min(waiting, key=self._folder.steps_done, default=None)

    def _take(self, variant: Variant, data: Path, processes: Processes, console: Console) -> None:
        """Train a variant to the end of its turn."""
        run, done = self._folder.run(variant), self._folder.steps_done(variant)
        config = self._plan.config_of(variant)
        until = min(self._steps, (done // self._length + 1) * self._length)
        if done >= until:
            return
        self._announce(variant, done, until, console)
        started = time.monotonic()
        try:
            if done:
                _refuse_changed(run, config)
                train = partial(resume_run, run, {}, data=data)
            else:
                if run.path.exists():
                    shutil.rmtree(run.path)  # it was killed before its first checkpoint
                train = partial(start_run, run, config, data, None)
            train(processes, console, open_evaluator=open_evaluator, until=until, quiet=True)
        except NonFiniteError as error:
            self.failed[variant.folder] = str(error)
            console.print(f"{self._plan.title(variant)} is left out. {error}")
        self._seconds[variant.name] = (time.monotonic() - started) / (until - done)

    def _announce(self, variant: Variant, done: int, until: int, console: Console) -> None:
        variants = list(self._plan.variants)
        number = variants.index(variant) + 1
        turn, turns = math.ceil(until / self._length), math.ceil(self._steps / self._length)
        console.print(
            f"Turn {turn} of {turns}, run {number} of {len(variants)}, {self._plan.title(variant)}: "
            f"steps {done + 1:,} to {until:,} of {self._steps:,}; "
            f"about {format_duration(self._seconds_left())} left for all."
        )

    def _seconds_left(self) -> float:
        return sum(
            self._seconds[each.name] * (self._steps - self._folder.steps_done(each))
            for each in self.unfinished()
        )


def _refuse_changed(run: RunFolder, config: RunConfig) -> None:
    """Check that a run still has the config of its variant.

    Raises:
        RunError: its steps or another value were changed, so that it cannot be compared with the others.
    """
    changes = differences(dataclasses.asdict(config), dataclasses.asdict(run.read()[0]))
    if changes:
        raise RunError(
            f"{run.path} was changed since the ablation started: {', '.join(changes)}; restore its "
            "config.json, or delete that folder to train the variant again."
        )
