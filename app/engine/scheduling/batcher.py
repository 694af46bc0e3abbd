"""Bring waiting pictures to a model, several at a time where that pays."""

from __future__ import annotations

import asyncio
import bisect
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.engine.runtime.session import Outputs, Pixels
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.fair_queue import Turns
from app.engine.scheduling.runner import Broken, Runner, Unwanted

log = logging.getLogger("ugatit.engine")


class Answer(NamedTuple):
    """What a model says about one picture, whatever batch it was in."""

    outputs: Mapping[str, NDArray[Any]]
    """By name, without the batch's dimension."""
    queue_seconds: float
    run_seconds: float
    pictures: int
    """How many were in its run, itself included."""


def _ignore(*_: object) -> None:
    return


class _Job:
    def __init__(self, pixels: Pixels, permit: Permit, answer: asyncio.Future[Answer]) -> None:
        self.pixels = pixels
        self.permit = permit
        self.answer = answer
        self.since = time.perf_counter()


class Batcher:
    """The queue of one model and the tasks that empty it, one for each device that holds a copy."""

    def __init__(
        self,
        runner: Runner,
        *,
        shapes: Sequence[int] = (1,),
        wait_seconds: float = 0.0,
        on_run: Callable[[float, int], None] = _ignore,
        turn: asyncio.Lock | None = None,
        others: Sequence[Runner] = (),
    ) -> None:
        """Args:
        runner: who runs the model.
        shapes: the batch sizes that may be run, ascending; a batch is padded up to the next.
        wait_seconds: how long a batch that is not full waits for more.
        on_run: is told the seconds and the number of pictures of each run.
        turn: shared by models that are not to run at once.
        others: who runs copies of it on other devices; whoever is free takes the next batch.
        """
        self._lanes = [(runner, turn or asyncio.Lock()), *((other, asyncio.Lock()) for other in others)]
        self._broken = 0
        self._shapes = shapes
        self._wait_seconds = wait_seconds
        self._on_run = on_run
        self._waiting: Turns[_Job] = Turns()
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def depth(self) -> int:
        """How many pictures wait."""
        return len(self._waiting)

    async def submit(self, pixels: Pixels, permit: Permit) -> Answer:
        """Wait for a turn and run one picture `[H, W, 3]`, whose permit tells whose turn it is.

        Whoever stops waiting is forgotten: before the run the picture leaves the queue, during it the run is
        terminated once nobody else waits for it.

        Raises:
            Broken: the model does not work any more.
        """
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._dispatch(*lane)) for lane in self._lanes]
        job = _Job(pixels, permit, asyncio.get_running_loop().create_future())
        self._waiting.add(permit.client, job)
        self._arrived.set()
        try:
            return await job.answer
        finally:
            self._waiting.discard(permit.client, job)

    def close(self) -> None:
        """Stop; whoever still waits is cancelled."""
        for task in self._tasks:
            task.cancel()
        for job in self._waiting:
            job.answer.cancel()
        for runner, _ in self._lanes:
            runner.close()

    async def _dispatch(self, runner: Runner, turn: asyncio.Lock) -> None:
        works = True
        while works:
            await self._arrived.wait()
            if len(self._waiting) < self._shapes[-1] and self._wait_seconds and self._shapes[-1] > 1:
                await self._wait_for_more()
            async with turn:
                jobs = self._form()
                if jobs:
                    works = await self._run(runner, jobs)
                del jobs  # hold no pictures while waiting for the next

    async def _wait_for_more(self) -> None:
        until = asyncio.get_running_loop().time() + self._wait_seconds
        try:
            async with asyncio.timeout_at(until):
                while 0 < len(self._waiting) < self._shapes[-1]:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            self._arrived.set()  # who waits for a turn must not keep the pictures from another device

    def _form(self) -> list[_Job]:
        """Take the jobs whose turn it is and that still want an answer."""
        jobs: list[_Job] = []
        while self._waiting and len(jobs) < self._shapes[-1]:
            job = self._waiting.take()
            if not job.answer.done():
                job.permit.running = True
                jobs.append(job)
        if not self._waiting:
            self._arrived.clear()
        return jobs

    async def _run(self, runner: Runner, jobs: list[_Job]) -> bool:
        """Run a batch and answer it; False if the runner is of no use any more while others are."""
        unwanted = asyncio.Event()

        def one_left(_: object) -> None:
            if all(job.answer.done() for job in jobs):
                unwanted.set()

        for job in jobs:
            job.answer.add_done_callback(one_left)
        started = time.perf_counter()
        try:
            outputs = await runner.run(self._stack(jobs), unwanted)
        except asyncio.CancelledError:  # closed in the middle of it
            for job in jobs:
                job.answer.cancel()
            raise
        except Unwanted:
            return True
        except Broken as error:
            return self._without_one(jobs, error)
        except Exception as error:  # a bug of ours: those who wait must hear of it, and the queue must go on
            _fail(jobs, error)
            return True
        seconds = time.perf_counter() - started
        self._on_run(seconds, len(jobs))
        for index, job in enumerate(jobs):
            if not job.answer.done():
                job.answer.set_result(Answer(_one(outputs, index), started - job.since, seconds, len(jobs)))
        return True

    def _without_one(self, jobs: list[_Job], error: Broken) -> bool:
        """One copy is broken: the others go on with its pictures, and the last one is the model itself."""
        self._broken += 1
        if self._broken < len(self._lanes):
            log.error("%s; %d of %d devices go on", error, len(self._lanes) - self._broken, len(self._lanes))
            for job in reversed(jobs):
                job.permit.running = False
                self._waiting.give_back(job.permit.client, job)
            self._arrived.set()
            return False
        self._broken -= 1
        _fail([*jobs, *self._waiting], error)
        return True

    def _stack(self, jobs: list[_Job]) -> Pixels:
        if len(jobs) == 1 == self._shapes[0]:
            return jobs[0].pixels[None]
        shape = self._shapes[bisect.bisect_left(self._shapes, len(jobs))]
        padded = [job.pixels for job in jobs] + [jobs[-1].pixels] * (shape - len(jobs))
        return np.stack(padded)


def _one(outputs: Outputs, index: int) -> dict[str, NDArray[Any]]:
    # A copy, or one picture kept for later would keep its whole batch.
    return {name: array[index].copy() for name, array in outputs.items()}


def _fail(jobs: list[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.answer.done():
            job.answer.set_exception(error)
