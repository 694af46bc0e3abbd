"""Run a model in its thread; stop a run nobody wants, and open the model anew when it breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.engine.session import Model, Outputs, Pixels
from app.engine.worker import Worker

TERMINATE_SECONDS = 5.0
"""How long a run may take to notice that it was terminated; then its thread is given up."""
_TERMINATE_AGAIN_SECONDS = 0.1
MAX_THREADS_GIVEN_UP = 2
"""Each keeps its model's memory for ever. One may be an accident."""

log = logging.getLogger("ugatit.engine")


class Unwanted(Exception):
    """The run was stopped because nobody waits for its result any more."""


class Broken(Exception):
    """The model failed or hung, was opened anew, and did so again."""


class Runner:
    """One model and the thread it lives in."""

    def __init__(self, name: str, open_model: Callable[[], Model]) -> None:
        self._name = name
        self._open_model = open_model
        self._worker = Worker(name)
        self._model: Model | None = None
        self._threads_given_up = 0

    @property
    def provider(self) -> str | None:
        """The execution provider truly in use; None while the model is not open."""
        return self._model.provider if self._model is not None else None

    @property
    def precision(self) -> str | None:
        """What the model computes in; None while it is not open."""
        return self._model.precision if self._model is not None else None

    async def open(self) -> None:
        """Open the model, unless it is open. Raises what opening raises."""
        if self._model is None:
            self._model = await self._worker.submit(self._open_model)

    async def run(self, pixels: Pixels, unwanted: asyncio.Event) -> Outputs:
        """Run a batch `[N, H, W, 3]`; a failed run is tried once more on a model opened anew.

        Raises:
            Unwanted: `unwanted` was set before the run was done.
            Broken: it failed twice, or a second run could not be stopped.
        """
        try:
            return await self._run(pixels, unwanted)
        except (Unwanted, Broken):
            raise
        except Exception:
            log.exception("%s: a run failed; the model is opened anew", self._name)
        try:
            self._model = None
            return await self._run(pixels, unwanted)
        except (Unwanted, Broken):
            raise
        except Exception as error:
            raise Broken(f"a run failed twice: {error}") from error

    async def _run(self, pixels: Pixels, unwanted: asyncio.Event) -> Outputs:
        await self.open()
        if unwanted.is_set():  # opening can take long
            raise Unwanted
        model = self._model
        assert model is not None
        run = self._worker.submit(lambda: model.run(pixels))
        leaving = asyncio.create_task(unwanted.wait())
        try:
            await asyncio.wait((run, leaving), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            run.cancel()
            raise
        finally:
            leaving.cancel()
        if run.done():
            return run.result()
        if not await self._terminate(model, run):
            self._give_up_thread()
        raise Unwanted

    async def _terminate(self, model: Model, run: asyncio.Future[Outputs]) -> bool:
        """Make the run fail; False if it does not, in time.

        Told again and again: a run that its thread has not begun yet does not hear the first time.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + TERMINATE_SECONDS
        while not run.done() and clock() < until:
            model.terminate()
            await asyncio.wait({run}, timeout=min(_TERMINATE_AGAIN_SECONDS, TERMINATE_SECONDS))
        if run.done() and not run.cancelled():
            run.exception()  # it failed because it was told to
        return run.done()

    def _give_up_thread(self) -> None:
        """A thread inside native code cannot be killed: leave it, its model too, and start afresh.

        Raises:
            Broken: that happened too often.
        """
        log.error("%s: a run could not be terminated; its thread is given up", self._name)
        self._worker.stop()
        self._worker = Worker(self._name)
        self._model = None
        self._threads_given_up += 1
        if self._threads_given_up >= MAX_THREADS_GIVEN_UP:
            raise Broken(f"{self._threads_given_up} runs could not be stopped; restart the service")

    def close(self) -> None:
        """Let the thread end."""
        if self._model is not None:
            self._model.terminate()
        self._worker.stop()
