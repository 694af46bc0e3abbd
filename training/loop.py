"""The training loop. It knows no method: batches and losses are dicts, networks have names."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from torch import Tensor

from training.average import RunningAverage
from training.checkpoint.keep import keep
from training.checkpoint.write import save
from training.config import RunConfig
from training.data.stream import Stream
from training.methods.method import Batch, Column, Method
from training.run import RunFolder
from training.samples import draw_sheet
from training.state import pack

STATS_EVERY = 10
"""Steps between two lines of `stats.jsonl`."""


class Interrupted(Exception):  # noqa: N818
    """The run was told to stop, and has saved where it stood."""


def train(
    run: RunFolder,
    config: RunConfig,
    method: Method,
    data: Stream,
    average: RunningAverage | None,
    samples: Mapping[str, Batch],
    *,
    done: int,
    console: Console,
) -> None:
    """Train from step `done` to the configured number of steps.

    Args:
        run: the folder to write to.
        config: what to do.
        method: whose networks learn.
        data: where pictures come from.
        average: follows the networks, if there is one.
        samples: the pictures that are shown at every save, by the name of their sheet.
        done: steps that are done already.
        console: where progress is shown.

    Raises:
        Interrupted: SIGTERM or SIGINT came; the state was saved.
        NonFiniteLossError: a loss term is not finite; the last checkpoint is still there.
        CheckpointError: a checkpoint could not be written; the older ones are still there.
    """
    document = json.loads(config.to_json())
    with _stop_on_signals() as stop, _progress(console, config.steps, done) as progress:
        for step in range(done + 1, config.steps + 1):
            started = time.perf_counter()

            # Learn from the next pictures.
            batch = data.next_batch(config.batch)
            terms = method.step(batch, progress=step / config.steps)
            if average is not None:
                average.update()

            # Tell how it goes.
            seconds = time.perf_counter() - started
            progress.advance(seconds, config.batch, terms)
            if step % STATS_EVERY == 0 or step == config.steps:
                run.add_stats(
                    {"step": step, "seconds": seconds} | {name: float(term) for name, term in terms.items()}
                )

            # Save, and show what the networks make of the sample pictures.
            if step % config.save_every == 0 or step == config.steps or stop.asked:
                score = show_samples(run, method, average, samples, step)
                save(run.checkpoints, pack(step, method, data, average, document), score=score)
                keep(run.checkpoints, last=config.keep_last)
            if stop.asked and step < config.steps:
                raise Interrupted(f"Stopped at step {step}; go on with ugatit-train resume {run.path}.")


def show_samples(
    run: RunFolder, method: Method, average: RunningAverage | None, samples: Mapping[str, Batch], step: int
) -> float:
    """Draw a sheet for each set of pictures and direction; the score of the networks on the set `test`.

    The score is cycle plus identity L1, of the averaged weights where there is an average: lower is better.
    """
    score = float("nan")
    with average.in_place() if average is not None else nullcontext():
        for name, batch in samples.items():
            sheets = method.show(batch)
            for direction, columns in sheets.items():
                title = f"{direction}, {name} pictures, step {step:,}"
                draw_sheet(columns, title=title).save(run.samples / f"{step:08d}-{direction}-{name}.png")
            if name == "test":
                score = sum(_cycle_and_identity(sheet) for sheet in sheets.values())
    return score


def _cycle_and_identity(columns: Sequence[Column]) -> float:
    by_label = {column.label: column.values for column in columns}
    source = by_label["source"]
    wanted = (by_label["reconstruction"], by_label["identity"])
    return sum(float((picture - source).abs().mean()) for picture in wanted)


class _Stop:
    asked = False


@contextmanager
def _stop_on_signals() -> Iterator[_Stop]:
    """SIGTERM and SIGINT ask for a stop after the step; a second one is Python's own again."""
    stop = _Stop()
    before: dict[int, Any] = {}

    def ask(number: int, _frame: FrameType | None) -> None:
        stop.asked = True
        signal.signal(number, before[number])

    for name in ("SIGTERM", "SIGINT"):
        number = int(getattr(signal, name))
        before[number] = signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Shown:
    """The progress bar with the main losses."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def advance(self, seconds: float, pictures: int, terms: Mapping[str, Tensor]) -> None:
        main = {"cycle": "G_cycle_", "identity": "G_identity_", "cam": "G_cam_", "adversarial": "G_adv_"}
        words = []
        for name, prefix in main.items():
            values = [float(term) for key, term in terms.items() if key.startswith(prefix)]
            if values:
                words.append(f"{name} {sum(values) / len(values):.3f}")
        words.append(f"{2 * pictures / seconds:.1f} images/s")
        self._progress.update(self._task, advance=1, told="  ".join(words))


@contextmanager
def _progress(console: Console, steps: int, done: int) -> Iterator[_Shown]:
    columns = (TextColumn("step {task.completed:,} of {task.total:,}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[told]}"), console=console) as progress:
        yield _Shown(progress, progress.add_task("training", total=steps, completed=done, told=""))
