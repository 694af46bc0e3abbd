"""The journal of a run: statistics, TensorBoard events, sample sheets and progress."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.text import Text
from torch import Tensor

from training.checkpoint.manifest import CheckpointFigure
from training.config.run_config import RunConfig
from training.console.phrases import format_duration, metric_name, shorten_list
from training.journal.interval import Interval
from training.journal.numbers import gradient_norms, learning_rates, summaries
from training.journal.progress import show_progress
from training.journal.sample_sheets import ATTENTION, Sheets, write_sheet
from training.methods.finite_updates import SkippedStep
from training.methods.method import Method
from training.parallel.processes import Processes
from training.run_folder.environment import describe_environment
from training.run_folder.folder import RunFolder

WARNINGS: Final = 3
"""Steps with a skipped update that the console names one by one."""


class Journal:
    """Records the progress of a run. Of several processes only process 0 has one.

    A line of `stats.jsonl` contains the means of losses and times over the `steps` steps since the previous
    line, and the learning rates, gradient norms and rho of its last step. After the first skipped update,
    `skips` counts the skipped updates of each optimizer since the start of the run, and `skipped` lists the
    skipped steps since the previous line. The line of a save has `memorised`, see `write_samples`. An
    evaluation is a line of its own, with the same step as the line before it. Use as a context manager.
    """

    def __init__(
        self,
        run: RunFolder,
        config: RunConfig,
        method: Method,
        processes: Processes,
        *,
        done: int,
        console: Console,
    ) -> None:
        """
        Args:
            run: the folder to write to.
            config: the config of the run.
            method: the networks and optimizers.
            processes: the processes that train together.
            done: the number of steps already done.
            console: shows the progress.
        """
        self._run, self._config = run, config
        self._method = method
        self._pictures = config.pictures(processes.count)
        self._console = console
        self._warned = 0
        self._interval = Interval()
        self._board = None
        if config.tensorboard:
            from training.journal.board import Board  # importing it takes a second

            self._board = Board(run.path / "tensorboard", done=done)
        run.add_environment(describe_environment(done, processes=processes.count))
        self._progress = show_progress(
            console,
            families=config.kind.families,
            steps=config.steps,
            done=done,
            pictures=self._pictures,
        )

    def note(
        self,
        step: int,
        terms: Mapping[str, Tensor],
        *,
        seconds: float,
        data_seconds: float,
        skipped: SkippedStep | None = None,
        saving: bool = False,
    ) -> None:
        """Record a completed step.

        Args:
            step: its number.
            terms: every loss term by name.
            seconds: the duration of the step, including the wait for pictures.
            data_seconds: the wait for pictures.
            skipped: the skipped updates, if any.
            saving: whether `write_samples` follows, which writes the line of this step.
        """
        if skipped is not None:
            self._warn(skipped)
        self._progress.advance(terms, seconds=seconds, skipped=self._skipped_updates())
        self._interval.add(terms, seconds=seconds, data_seconds=data_seconds, skipped=skipped)
        if not saving and (step % self._config.stats_every == 0 or step == self._config.steps):
            self._write_line(step)

    def _skipped_updates(self) -> int:
        return sum(skips.total for skips in self._method.learner.skips.values())

    def _warn(self, skipped: SkippedStep) -> None:
        """Print a warning for each of the first `WARNINGS` steps; the file lists the others."""
        self._warned += 1
        if self._warned > WARNINGS:
            return
        text = (
            f"Warning: step {skipped.step:,} skipped an update that was not finite ({skipped.reason}); its "
            f"pictures were {shorten_list(skipped.pictures)}."
        )
        if self._warned == WARNINGS:
            text += f" Further skipped updates are listed in {self._run.stats.name} only."
        self._print(text)

    def _print(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)

    def _write_line(self, step: int, memorised: Mapping[str, float] | None = None) -> None:
        interval, learner = self._interval, self._method.learner
        losses = interval.losses()
        line: dict[str, Any] = {
            "step": step,
            **interval.speed(self._pictures),
            **losses,
            "learning_rate": learning_rates(self._method.optimizers),
            "gradient_norm": gradient_norms(self._method.networks),
            "distributions": summaries(self._method.distributions()),
        }
        if self._skipped_updates():
            line["skips"] = {name: skips.total for name, skips in learner.skips.items()}
            line["skipped"] = [skipped._asdict() for skipped in interval.skipped]
        if memorised:
            line["memorised"] = dict(memorised)
        self._run.add_stats(line)
        if self._board is not None:
            self._board.add_line(line, losses)
        self._interval = Interval()

    def write_rest(self, step: int, memorised: Mapping[str, float] | None = None) -> None:
        """Write the line of the steps since the last line: a run that continues does not repeat them."""
        if self._interval.steps:
            self._write_line(step, memorised)

    def write_evaluation(
        self, step: int, directions: Mapping[str, float], figure: CheckpointFigure, *, seconds: float
    ) -> None:
        """Write and print the figures of a step: a line of its own, after the line of the step's losses.

        A write error only prints a warning: the checkpoint records the figure too.

        Args:
            step: the step of the evaluated weights.
            directions: the value by direction.
            figure: their mean, with what it depends on.
            seconds: the duration of the evaluation.
        """
        facts = figure.model_dump(exclude={"value", "data"})
        values = {**directions, "mean": figure.value}
        with self._only_warning("the evaluation"):
            self._run.add_stats({"step": step, "evaluation": {**facts, "values": values, "seconds": seconds}})
            if self._board is not None:
                self._board.add_evaluation(figure.metric, values, step)
        shown = ", ".join(f"{name} {value:.4f}" for name, value in values.items())
        self._print(f"step {step:,}: {metric_name(figure.metric)} {shown} ({format_duration(seconds)})")

    def warn(self, sentence: str) -> None:
        """Print a warning."""
        self._print(f"Warning: {sentence}")

    def write_samples(
        self,
        step: int,
        sheets: Mapping[str, Sheets],
        memorised: Mapping[str, float] | None = None,
        parts: Sheets | None = None,
    ) -> None:
        """Write the sample sheets of each set and direction, and what TensorBoard still buffers.

        The sheets of `parts`, by direction and network, are files only: TensorBoard has the whole maps.

        The line of the step gets `memorised`: by discriminator, its mean answer to training pictures minus
        that to test pictures.

        A write error only prints a warning, because the caller saves a checkpoint next, which matters more.
        """
        with self._only_warning("the line of stats.jsonl"):
            self.write_rest(step, memorised)
        for name, sheet in sheets.items():
            with self._only_warning(f"the sample sheets of the {name} pictures"):
                self._draw(name, sheet, step)
        with self._only_warning("the sheets of the heat maps' parts"):
            self._draw_parts(parts or {}, step)
        if self._board is not None:
            with self._only_warning("TensorBoard's events"):
                self._board.add_distributions(self._method.distributions(), step)
                self._board.flush()

    def _draw(self, name: str, sheets: Sheets, step: int) -> None:
        for direction, columns in sheets.items():
            title = f"{direction}, {name} pictures, step {step:,}"
            file = self._run.samples / f"{step:08d}-{direction}-{name}.jpg"
            write_sheet(file, columns, title=title)
            if self._board is not None:
                self._board.add_sheet(f"samples/{direction}-{name}", file, step)

    def _draw_parts(self, parts: Sheets, step: int) -> None:
        for name, columns in parts.items():
            direction, _, network = name.partition("-")
            title = f"{direction}, {ATTENTION[network]}, step {step:,}"
            write_sheet(self._run.samples / f"{step:08d}-{name}.jpg", columns, title=title)

    @contextmanager
    def _only_warning(self, what: str) -> Iterator[None]:
        """Turn an OSError within the block into a warning."""
        try:
            yield
        except OSError as error:
            self._print(f"Warning: {what} could not be written to {self._run.path}: {error.strerror}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.close()
        if self._board is not None:
            self._board.close()
