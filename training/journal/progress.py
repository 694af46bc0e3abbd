"""Show the progress of a run: a bar in a terminal, plain lines in a log."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from time import monotonic as now
from typing import Final, Protocol

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.text import Text
from torch import Tensor

from training.methods.loss_families import LossFamilies, family_of

_REFRESH_SECONDS: Final = 0.5
"""Time between two updates of the losses: reading a loss from a GPU waits for its computations."""
LOG_SECONDS: Final = 60.0
"""Time between two lines of a log: a day of training writes 1,440 lines at any speed."""


class ProgressDisplay(Protocol):
    """A display of the progress of a run."""

    def advance(self, terms: Mapping[str, Tensor], *, seconds: float, skipped: int = 0) -> None:
        """Show one more completed step.

        Args:
            terms: its loss terms.
            seconds: its duration.
            skipped: the number of skipped updates since the start of the run.
        """

    def close(self) -> None: ...


def show_progress(
    console: Console, *, families: LossFamilies, steps: int, done: int, pictures: int
) -> ProgressDisplay:
    """Return a bar for a terminal, else lines.

    Args:
        console: the output.
        families: of the loss terms; those with a short name are shown.
        steps: the number of steps of the whole run.
        done: the number of steps already done.
        pictures: the number of pictures in a step.
    """
    pace = Pace(steps=steps, done=done, pictures=pictures)
    return Bar(console, pace, families) if console.is_terminal else Lines(console, pace, families)


class Pace:
    """The position and speed of a run; the speed is a running average over its steps."""

    def __init__(self, *, steps: int, done: int, pictures: int) -> None:
        self.steps, self.done, self.pictures = steps, done, pictures
        self._mean = self._weight = 0.0

    def add(self, seconds: float) -> None:
        self.done += 1
        self._mean = 0.95 * self._mean + 0.05 * seconds
        self._weight = 0.95 * self._weight + 0.05

    @property
    def seconds(self) -> float:
        """The mean duration of a step."""
        return self._mean / self._weight

    @property
    def speed(self) -> str:
        return f"{self.pictures / self.seconds:.3g} images/s"

    @property
    def left(self) -> timedelta:
        return timedelta(seconds=round(self.seconds * (self.steps - self.done)))


def main_losses(terms: Mapping[str, Tensor], families: LossFamilies) -> list[str]:
    """Return the main losses as text, each the mean of its terms; without means that are not finite."""
    words = []
    for name, family in families.items():
        if family.shown_as is None:
            continue
        values = [float(term) for key, term in terms.items() if family_of(key) == name]
        if values and math.isfinite(mean := sum(values) / len(values)):
            words.append(f"{family.shown_as} {mean:.3f}")
    return words


def skipped_updates(count: int) -> list[str]:
    """Return the number of skipped updates as text; nothing for zero."""
    return [f"{count:,} skipped"] if count else []


class Bar:
    """A progress bar with the main losses below it: two lines of at most 80 columns."""

    def __init__(self, console: Console, pace: Pace, families: LossFamilies) -> None:
        self._pace, self._families = pace, families
        self._shown_at = -math.inf
        self._progress = _TwoLines(
            TextColumn("step {task.completed:,} of {task.total:,}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]} left"),
            console=console,
            expand=True,
        )
        self._task = self._progress.add_task("", total=pace.steps, completed=pace.done, left="?")
        self._progress.start()

    def advance(self, terms: Mapping[str, Tensor], *, seconds: float, skipped: int = 0) -> None:
        self._pace.add(seconds)
        time = now()
        if time - self._shown_at >= _REFRESH_SECONDS or self._pace.done == self._pace.steps:
            self._shown_at = time
            self._progress.losses_line = "  ".join(
                [*main_losses(terms, self._families), *skipped_updates(skipped), self._pace.speed]
            )
        self._progress.update(self._task, completed=self._pace.done, left=self._pace.left)

    def close(self) -> None:
        self._progress.stop()


class _TwoLines(Progress):
    losses_line = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        yield Text(self.losses_line, style="dim", no_wrap=True, overflow="ellipsis")


class Lines:
    """One line after the first step, then one every minute, and one at the end."""

    def __init__(self, console: Console, pace: Pace, families: LossFamilies) -> None:
        self._console = console
        self._pace, self._families = pace, families
        self._shown_at: float | None = None

    def advance(self, terms: Mapping[str, Tensor], *, seconds: float, skipped: int = 0) -> None:
        self._pace.add(seconds)
        time, last = now(), self._pace.done == self._pace.steps
        if self._shown_at is None or time - self._shown_at >= LOG_SECONDS or last:
            self._shown_at = time
            words = [*main_losses(terms, self._families), *skipped_updates(skipped)]
            self._console.print(self._line(words), soft_wrap=True, highlight=False)

    def _line(self, words: Sequence[str]) -> str:
        pace = self._pace
        return ", ".join([f"step {pace.done:,} of {pace.steps:,}", *words, pace.speed, f"{pace.left} left"])

    def close(self) -> None:
        """Do nothing: lines need no closing."""
