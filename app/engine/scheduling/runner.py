"""Run a model in its thread; stop a run nobody wants, and replace the model once when it breaks."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from app.engine.directions.verification import TooCoarse
from app.engine.runtime.session import Model, Outputs, Pixels
from app.engine.scheduling.worker_thread import Worker
from models.bundle.errors import BundleError

TERMINATE_SECONDS = 5.0
"""How long a run may take to notice that it was terminated; then its thread is given up."""
_TERMINATE_AGAIN_SECONDS: Final = 0.1
HEALED_SECONDS: Final = 3600.0
"""A replacement that served so long earns the model another one: two accidents in a month are no illness."""
HANGS_IN_A_ROW: Final = 3
"""So many runs, one after the other, that were still not done after the longest time are no overload."""

log = logging.getLogger("ugatit.engine")


class Unwanted(Exception):
    """The run was stopped because nobody waits for its result any more."""


class Broken(Exception):
    """The model failed or hung, was replaced, and did so again. The message is a clause."""


class Hung(Exception):
    """A call did not end in time, or not at all. The message is a clause."""


class Patience(NamedTuple):
    """How long a model is waited for."""

    open_seconds: float = 600.0
    """For opening, proving and warming up."""
    run_seconds: float = 30.0
    """For a run; who waits for it has left by then."""


class Watch(NamedTuple):
    """Who is told when a model is replaced."""

    replacing: Callable[[str], None] = lambda _why: None
    """With a clause that says why."""
    replaced: Callable[[], None] = lambda: None
    broken: Callable[[str], None] = lambda _why: None
    """With a clause: it does not work, and is not replaced."""


_PATIENCE: Final = Patience()
_NOBODY: Final = Watch()


class Runner:
    """One model and the thread it lives in."""

    def __init__(
        self,
        name: str,
        open_model: Callable[[], Model],
        prove: Callable[[Model], None] = lambda _model: None,
        *,
        patience: Patience = _PATIENCE,
        watch: Watch = _NOBODY,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        name: for threads and log lines.
        open_model: opens the model, in its thread.
        prove: runs it for the first time, in its thread, and raises if it is not what it should be.
        patience: how long it is waited for.
        watch: who is told when it is replaced.
        clock: seconds.
        """
        self._name = name
        self._open_model = open_model
        self._prove = prove
        self._patience = patience
        self._watch = watch
        self._clock = clock
        self._worker = Worker(name)
        self._model: Model | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._replaced_at: float | None = None
        self._hangs = 0
        self._broken: str | None = None

    @property
    def provider(self) -> str | None:
        """The execution provider truly in use; None while the model is not open."""
        return self._model.provider if self._model is not None else None

    @property
    def precision(self) -> str | None:
        """What the model computes in; None while it is not open."""
        return self._model.precision if self._model is not None else None

    @property
    def works(self) -> bool:
        """Whether it can still be asked: it is not given up."""
        return self._broken is None

    async def open(self) -> None:
        """Open and prove the model; once more if it is too coarse, since `open_model` then opens in float32.

        Raises:
            Hung: it takes too long.
            Exception: what opening or proving raises.
        """
        until = self._clock() + self._patience.open_seconds
        model = None
        with suppress(TooCoarse):
            model = await self._open_proved(until)
        if model is None:  # outside of the exception, which would keep the first model's memory
            model = await self._open_proved(until)
        if self._broken is None:
            self._model = model

    async def prepare(self) -> None:
        """Open the model if it is not open; that it cannot be is a failure like any other.

        Whoever stops waiting does not stop it.

        Raises:
            Broken: the model does not work.
        """
        if self._model is None and self._broken is None:
            if self._preparing is None or self._preparing.done():
                self._preparing = asyncio.create_task(self._prepare())
            await asyncio.shield(self._preparing)
        if self._broken is not None:
            raise Broken(self._broken)

    async def run(self, pixels: Pixels, unwanted: asyncio.Event) -> Outputs:
        """Run a batch `[N, H, W, 3]`; if it fails, once more on a model that replaces this one.

        Raises:
            Unwanted: `unwanted` was set before the run was done.
            Broken: the model does not work, and was replaced already.
        """
        while True:
            await self.prepare()
            try:
                return await self._run(pixels, unwanted)
            except Unwanted:
                raise
            except Hung as hung:
                self._failed(str(hung))
                await self.prepare()
                raise Unwanted from None
            except Exception as error:
                if self._broken is None:
                    log.exception("%s: a run failed", self._name)
                self._failed(f"a run failed: {error}")

    def close(self) -> None:
        """Let the thread end, and the model go."""
        if self._model is not None:
            self._model.terminate()
        self._let_go("it was closed")

    async def _open_proved(self, until: float) -> Model:
        model: Model = await self._in_time(self._worker.submit(self._open_model), None, until)
        await self._in_time(self._worker.submit(lambda: self._prove(model)), model, until)
        return model

    async def _prepare(self) -> None:
        while self._model is None and self._broken is None:
            try:
                await self.open()
            except BundleError as error:  # the same bytes would be read again
                self._break(str(error))
            except Exception as error:  # whatever onnxruntime raises
                self._failed(f"it could not be opened: {error}")
        if self._broken is None:
            self._watch.replaced()

    def _failed(self, why: str) -> None:
        """The model must be replaced, unless it was already."""
        self._model = None
        now = self._clock()
        if self._replaced_at is not None and now - self._replaced_at < HEALED_SECONDS:
            self._break(f"{why}, after it had been replaced")
        elif self._broken is None:
            log.warning("%s is replaced: %s", self._name, why)
            self._replaced_at = now
            self._watch.replacing(why)

    async def _run(self, pixels: Pixels, unwanted: asyncio.Event) -> Outputs:
        if unwanted.is_set():  # opening can take long
            raise Unwanted
        model = self._model
        assert model is not None
        started = self._clock()
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
            self._hangs = 0
            return run.result()
        seconds = self._clock() - started
        if not await self._terminate(model, run):
            self._abandon(run)
            raise Hung("a run could not be stopped")
        self._count_hang(seconds)
        raise Unwanted

    def _count_hang(self, seconds: float) -> None:
        """A run that was terminated is no fault, unless it had all the time there is, again and again."""
        self._hangs += seconds >= self._patience.run_seconds
        if self._hangs >= HANGS_IN_A_ROW:
            self._hangs = 0
            raise Hung(f"{HANGS_IN_A_ROW} runs in a row did not end within {self._patience.run_seconds:g} s")

    async def _in_time(self, call: asyncio.Future[Any], model: Model | None, until: float) -> Any:
        """The result of a call in the thread; one that does not come in time is given up."""
        try:
            await asyncio.wait({call}, timeout=max(0.0, until - self._clock()))
        except asyncio.CancelledError:
            call.cancel()
            raise
        if call.done():
            return call.result()
        if model is None or not await self._terminate(model, call):
            self._abandon(call)
        raise Hung(f"that took more than {self._patience.open_seconds:g} s (UGATIT_LOAD_SECONDS)")

    async def _terminate(self, model: Model, run: asyncio.Future[Any]) -> bool:
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

    def _abandon(self, call: asyncio.Future[Any]) -> None:
        """A thread inside native code cannot be killed: leave it, its model too, and start afresh."""
        log.error("%s: a call could not be stopped; its thread is given up", self._name)
        call.cancel()
        self._worker.stop()
        self._model = None
        if self._broken is None:
            self._worker = Worker(self._name)

    def _break(self, why: str) -> None:
        if self._broken is None:
            self._let_go(why)
            self._watch.broken(why)

    def _let_go(self, why: str) -> None:
        self._broken = self._broken or why
        self._worker.stop()
        self._model = None
