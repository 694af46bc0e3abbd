"""Queue the pictures of one model and run them in batches."""

from __future__ import annotations

import asyncio
import bisect
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.events import RunFinished
from app.engine.runtime.session import Outputs, Pixels, StyleCodes
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.fair_queue import FairQueue
from app.engine.scheduling.runner import ModelBroken, RunCancelled, Runner

log = logging.getLogger("ugatit.engine")


class Inference(NamedTuple):
    """A model's outputs for one picture."""

    outputs: Mapping[str, NDArray[Any]]
    """By name, without the batch dimension."""
    queue_seconds: float
    run_seconds: float
    batch: int
    """How many pictures its run had, this one included."""


class ModelInput(NamedTuple):
    """What a model gets for one picture."""

    pixels: Pixels
    """`[H, W, 3]`."""
    style: StyleCodes | None = None
    """`[d]`; None for a model without styles."""


class _Job:
    def __init__(self, input_: ModelInput, permit: Permit, result: asyncio.Future[Inference]) -> None:
        self.input = input_
        self.permit = permit
        self.result = result
        self.submitted_at = time.perf_counter()


class Batcher:
    """The queue of one model, and a task for each device that runs its batches."""

    def __init__(
        self,
        runner: Runner,
        *,
        name: str = "",
        batch_sizes: Sequence[int] = (1,),
        wait_seconds: float = 0.0,
        on_run: Callable[[RunFinished], None] = lambda _event: None,
        lock: asyncio.Lock | None = None,
        replicas: Sequence[Runner] = (),
    ) -> None:
        """Args:
        runner: runs the model.
        name: of the direction, for the events.
        batch_sizes: the sizes of a run, ascending; a batch is padded to the next one.
        wait_seconds: how long a batch that is not full waits for more pictures.
        on_run: called after each run.
        lock: shared by models that must not run at the same time.
        replicas: run copies of the model on other devices; an idle device takes the next batch.
        """
        self._devices = [(runner, lock or asyncio.Lock()), *((other, asyncio.Lock()) for other in replicas)]
        self._broken = 0
        self._name = name
        self._batch_sizes = batch_sizes
        self._wait_seconds = wait_seconds
        self._on_run = on_run
        self._queue: FairQueue[_Job] = FairQueue()
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def queued(self) -> int:
        """How many pictures wait."""
        return len(self._queue)

    async def submit(self, inputs: Sequence[ModelInput], permit: Permit) -> list[Inference]:
        """Queue the inputs of one permit together and return the model's outputs for each.

        If the caller is cancelled, its inputs leave the queue. In a run, they are ignored; the run itself is
        terminated if it has no other input that a caller waits for.

        Raises:
            ModelBroken: the model does not work any more.
        """
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._run_batches(*device)) for device in self._devices]
        loop = asyncio.get_running_loop()
        jobs = [_Job(each, permit, loop.create_future()) for each in inputs]
        for job in jobs:
            self._queue.add(permit.client, job)
        self._arrived.set()
        try:
            return await asyncio.gather(*(job.result for job in jobs))
        finally:
            for job in jobs:
                job.result.cancel()
                self._queue.discard(permit.client, job)

    def close(self) -> None:
        """Stop at once and cancel the waiting callers."""
        for task in self._tasks:
            task.cancel()
        for job in self._queue:
            job.result.cancel()
        for runner, _ in self._devices:
            runner.close()

    async def _run_batches(self, runner: Runner, lock: asyncio.Lock) -> None:
        usable = True
        while usable:
            await self._arrived.wait()
            if len(self._queue) < self._batch_sizes[-1] and self._wait_seconds and self._batch_sizes[-1] > 1:
                await self._wait_for_more()
            async with lock:
                jobs = self._take_batch()
                if jobs:
                    usable = await self._run(runner, jobs)
                del jobs  # keep no pictures in memory until the next batch

    async def _wait_for_more(self) -> None:
        until = asyncio.get_running_loop().time() + self._wait_seconds
        try:
            async with asyncio.timeout_at(until):
                while 0 < len(self._queue) < self._batch_sizes[-1]:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            self._arrived.set()  # another device may take the pictures while this one waits for its lock

    def _take_batch(self) -> list[_Job]:
        """Remove the next jobs from the queue, without those whose caller was cancelled."""
        jobs: list[_Job] = []
        while self._queue and len(jobs) < self._batch_sizes[-1]:
            job = self._queue.pop()
            if not job.result.done():
                job.permit.running = True
                jobs.append(job)
        if not self._queue:
            self._arrived.clear()
        return jobs

    async def _run(self, runner: Runner, jobs: list[_Job]) -> bool:
        """Run a batch and deliver its outputs; return False if the runner is broken while others work."""
        unwanted = asyncio.Event()

        def cancel_unwanted(_: object) -> None:
            if all(job.result.done() for job in jobs):
                unwanted.set()

        for job in jobs:
            job.result.add_done_callback(cancel_unwanted)
        started = time.perf_counter()
        try:
            pixels, style = self._stack(jobs)
            outputs = await runner.run(pixels, unwanted, style)
        except asyncio.CancelledError:  # `close` was called
            for job in jobs:
                job.result.cancel()
            raise
        except RunCancelled:
            return True
        except ModelBroken as error:
            return self._handle_broken(jobs, error)
        except Exception as error:  # our bug: the callers must get it, and the next batches must run
            _fail(jobs, error)
            return True
        seconds = time.perf_counter() - started
        self._on_run(RunFinished(self._name, seconds, len(jobs)))
        for index, job in enumerate(jobs):
            if not job.result.done():
                queue_seconds = started - job.submitted_at
                job.result.set_result(Inference(_picture(outputs, index), queue_seconds, seconds, len(jobs)))
        return True

    def _handle_broken(self, jobs: list[_Job], error: ModelBroken) -> bool:
        """Put the pictures back for the other devices; the last device fails them and stays."""
        self._broken += 1
        if self._broken < len(self._devices):
            working = len(self._devices) - self._broken
            log.error("%s; %d of %d devices still work", error, working, len(self._devices))
            for job in reversed(jobs):
                job.permit.running = False
                self._queue.put_back(job.permit.client, job)
            self._arrived.set()
            return False
        self._broken -= 1
        _fail([*jobs, *self._queue], error)
        return True

    def _stack(self, jobs: list[_Job]) -> ModelInput:
        """Return a batch: pixels `[batch size, H, W, 3]`, and with styles their codes `[batch size, d]`."""
        size = self._batch_sizes[bisect.bisect_left(self._batch_sizes, len(jobs))]
        padded = [job.input for job in jobs] + [jobs[-1].input] * (size - len(jobs))
        if size == 1:
            pixels, style = padded[0]
            return ModelInput(pixels[None], None if style is None else style[None])
        styles = [each.style for each in padded if each.style is not None]
        return ModelInput(np.stack([each.pixels for each in padded]), np.stack(styles) if styles else None)


def _picture(outputs: Outputs, index: int) -> dict[str, NDArray[Any]]:
    # A copy: a view of one stored picture would keep its whole batch in memory.
    return {name: array[index].copy() for name, array in outputs.items()}


def _fail(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.result.done():
            job.result.set_exception(error)
