"""Run a model in its thread; stop a run nobody wants, and open the model anew when it breaks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from app.engine.session import Model, Outputs, Pixels
from app.engine.worker import Worker

TERMINATE_SECONDS = 5.0
"""How long a run may take to notice that it was terminated; then its thread is given up."""

log = logging.getLogger("ugatit.engine")


class Unwanted(Exception):
    """The run was stopped because nobody waits for its result any more."""


class Broken(Exception):
    """The model failed, was opened anew, and failed again."""


class Runner:
    """One model and the thread it lives in."""

    def __init__(self, name: str, open_model: Callable[[], Model]) -> None:
        self._name = name
        self._open_model = open_model
        self._worker = Worker(name)
        self._model: Model | None = None

    @property
    def provider(self) -> str | None:
        """The execution provider truly in use; None while the model is not open."""
        return self._model.provider if self._model is not None else None

    async def open(self) -> None:
        """Open the model, unless it is open. Raises what opening raises."""
        if self._model is None:
            self._model = await self._worker.submit(self._open_model)

    async def run(self, pixels: Pixels, unwanted: asyncio.Event) -> Outputs:
        """Run a batch `[N, H, W, 3]`; a failed run is tried once more on a model opened anew.

        Raises:
            Unwanted: `unwanted` was set before the run was done.
            Broken: it failed twice.
        """
        try:
            return await self._run(pixels, unwanted)
        except Unwanted:
            raise
        except Exception:
            log.exception("%s: a run failed; the model is opened anew", self._name)
        try:
            self._model = None
            return await self._run(pixels, unwanted)
        except Unwanted:
            raise
        except Exception as error:
            raise Broken(f"a run failed twice: {error}") from error

    async def _run(self, pixels: Pixels, unwanted: asyncio.Event) -> Outputs:
        await self.open()
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
        model.terminate()
        await asyncio.wait({run}, timeout=TERMINATE_SECONDS)
        if not run.done():
            self._give_up_thread()
        elif not run.cancelled():
            run.exception()  # it failed because it was told to
        raise Unwanted

    def _give_up_thread(self) -> None:
        """A thread inside native code cannot be killed: leave it, its model too, and start afresh."""
        log.error("%s: a run could not be terminated; its thread is given up", self._name)
        self._worker.stop()
        self._worker = Worker(self._name)
        self._model = None

    def close(self) -> None:
        """Let the thread end."""
        if self._model is not None:
            self._model.terminate()
        self._worker.stop()
