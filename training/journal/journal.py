"""The journal of a run: all that it writes beside its checkpoints, behind one object."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from torch import Tensor

from training.average import RunningAverage
from training.config import RunConfig
from training.journal.environment import facts
from training.journal.interval import Interval
from training.journal.numbers import gradient_norms, learning_rates, summaries
from training.journal.progress import show_progress
from training.methods.method import Batch, Method
from training.parallel.processes import Processes
from training.run import RunFolder
from training.samples import show_in_parts, write_sheet


class Journal:
    """Tells how a run goes. Of several processes only one keeps a journal.

    A line of `stats.jsonl` holds the means of the losses and of the times over the `steps` steps since the
    line before it; learning rates, gradient norms and rho are those of its last step. Use as a context
    manager.
    """

    def __init__(
        self,
        run: RunFolder,
        config: RunConfig,
        method: Method,
        average: RunningAverage | None,
        samples: Mapping[str, Batch],
        processes: Processes,
        *,
        done: int,
        console: Console,
    ) -> None:
        """
        Args:
            run: the folder to write to.
            config: what is done.
            method: whose networks learn.
            average: follows the networks, if there is one.
            samples: the pictures that are shown at every save, by the name of their sheets.
            processes: who trains.
            done: steps that are done already.
            console: where progress is shown.
        """
        self._run, self._config = run, config
        self._method, self._average, self._samples = method, average, samples
        self._pictures = config.pictures(processes.count)
        self._interval = Interval()
        self._board = None
        if config.tensorboard:
            from training.journal.board import Board  # a second of imports that a run without it saves

            self._board = Board(run.path / "tensorboard", done=done)
        run.add_environment(facts(done, processes=processes.count))
        self._progress = show_progress(console, steps=config.steps, done=done, pictures=self._pictures)

    def note(self, step: int, terms: Mapping[str, Tensor], *, seconds: float, data_seconds: float) -> None:
        """Tell of a step that is done.

        Args:
            step: its number.
            terms: every loss term by name.
            seconds: that it took, the waiting included.
            data_seconds: that it waited for its pictures.
        """
        self._progress.advance(terms, seconds=seconds)
        self._interval.add(terms, seconds=seconds, data_seconds=data_seconds)
        if step % self._config.stats_every == 0 or step == self._config.steps:
            self._write_line(step)

    def _write_line(self, step: int) -> None:
        losses = self._interval.losses()
        line: dict[str, Any] = {
            "step": step,
            **self._interval.speed(self._pictures),
            **losses,
            "learning_rate": learning_rates(self._method.optimizers),
            "gradient_norm": gradient_norms(self._method.networks),
            "distributions": summaries(self._method.distributions()),
        }
        self._run.add_stats(line)
        if self._board is not None:
            self._board.numbers(line, losses)
        self._interval = Interval()

    def show(self, step: int) -> float:
        """Draw a sheet for each set of pictures and direction; the score of the networks on the set `test`.

        It is drawn, and judged, with the averaged weights where there is an average: lower is better. Steps
        that no line tells of yet get theirs: who goes on from here does not do them again.
        """
        if self._interval.steps:
            self._write_line(step)
        score = math.nan
        with self._average.in_place() if self._average is not None else nullcontext():
            for name, batch in self._samples.items():
                sheets = show_in_parts(self._method, batch)
                for direction, columns in sheets.items():
                    title = f"{direction}, {name} pictures, step {step:,}"
                    file = self._run.samples / f"{step:08d}-{direction}-{name}.jpg"
                    write_sheet(file, columns, title=title)
                    if self._board is not None:
                        self._board.picture(f"samples/{direction}-{name}", file, step)
                if name == "test":
                    score = self._method.score(sheets)
        if self._board is not None:
            self._board.distributions(self._method.distributions(), step)
            self._board.flush()
        return score

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.close()
        if self._board is not None:
            self._board.close()
