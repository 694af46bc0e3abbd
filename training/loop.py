"""The training loop. It knows no method: batches and losses are dicts, networks have names."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from training.average import RunningAverage
from training.checkpoint.keep import keep
from training.checkpoint.write import save
from training.config import RunConfig
from training.data.stream import Stream
from training.journal.journal import Journal
from training.methods.method import Method
from training.run import RunFolder
from training.state import pack


class Interrupted(Exception):  # noqa: N818
    """The run was told to stop, and has saved where it stood."""


def train(
    run: RunFolder,
    config: RunConfig,
    method: Method,
    data: Stream,
    average: RunningAverage | None,
    journal: Journal,
    *,
    done: int,
) -> None:
    """Train from step `done` to the configured number of steps.

    Args:
        run: the folder to save to.
        config: what to do.
        method: whose networks learn.
        data: where pictures come from.
        average: follows the networks, if there is one.
        journal: is told how it goes.
        done: steps that are done already.

    Raises:
        Interrupted: SIGTERM or SIGINT came; the state was saved.
        NonFiniteLossError: a loss term is not finite; the last checkpoint is still there.
        CheckpointError: a checkpoint could not be written; the older ones are still there.
    """
    document = json.loads(config.to_json())
    with _stop_on_signals() as stop:
        for step in range(done + 1, config.steps + 1):
            started = time.perf_counter()

            # Wait for the next pictures.
            batch = data.next_batch(config.batch)
            waited = time.perf_counter() - started

            # Learn from them.
            terms = method.step(batch, progress=step / config.steps)
            if average is not None:
                average.update()

            # Tell how it goes.
            journal.note(step, terms, seconds=time.perf_counter() - started, data_seconds=waited)

            # Save, and show what the networks make of the sample pictures.
            if step % config.save_every == 0 or step == config.steps or stop.asked:
                score = journal.show(step)
                save(run.checkpoints, pack(step, method, data, average, document), score=score)
                keep(run.checkpoints, last=config.keep_last)
            if stop.asked and step < config.steps:
                raise Interrupted(f"Stopped at step {step}; go on with ugatit-train resume {run.path}.")


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
