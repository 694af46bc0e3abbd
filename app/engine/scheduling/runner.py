"""Run a model in its own thread, cancel runs without callers, and replace the model once when it fails."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Literal, NamedTuple

from app.engine.runtime.session import Execution, Model, Outputs, Pixels, PrecisionTooLow, StyleCodes
from app.engine.scheduling.worker_thread import WorkerThread
from models.bundle.errors import BundleError

TERMINATE_SECONDS = 5.0
"""How long a terminated run may take to end; after that its thread is abandoned."""
_TERMINATE_AGAIN_SECONDS: Final = 0.1
REPLACE_AGAIN_SECONDS: Final = 3600.0
"""A model may be replaced again after this time: failures that are rare do not mean that it is broken."""
MAX_TIMEOUTS_IN_A_ROW: Final = 3
"""That many runs in a row that exceed the time limit mean a hanging model, not a high load."""

log = logging.getLogger("ugatit.engine")


class RunCancelled(Exception):
    """The run was terminated because no caller waits for its result."""


class ModelBroken(Exception):
    """The model failed or hung again after it had been replaced. The message is a clause."""


class ModelHung(Exception):
    """A call exceeded its time limit. The message is a clause."""


class TimeLimits(NamedTuple):
    """How long a model may take."""

    open_seconds: float = 600.0
    """To open, check and warm it up."""
    run_seconds: float = 30.0
    """For one run; its callers have reached their deadline by then."""


class ModelEvent(NamedTuple):
    """A change in whether a model works."""

    change: Literal["replacing", "replaced", "broken"]
    reason: str = ""
    """A clause; empty for `replaced`."""


_TIME_LIMITS: Final = TimeLimits()


class Runner:
    """One model and its thread."""

    def __init__(
        self,
        name: str,
        open_model: Callable[[], Model],
        check: Callable[[Model], None] = lambda _model: None,
        *,
        time_limits: TimeLimits = _TIME_LIMITS,
        on_event: Callable[[ModelEvent], None] = lambda _event: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args:
        name: for threads and log lines.
        open_model: opens the model; called in its thread.
        check: runs the model for the first time, in its thread, and raises if its outputs are wrong.
        time_limits: of opening and of each run.
        on_event: called when the model is being replaced, was replaced, or is broken.
        clock: seconds.
        """
        self._name = name
        self._open_model = open_model
        self._check = check
        self._time_limits = time_limits
        self._on_event = on_event
        self._clock = clock
        self._thread = WorkerThread(name)
        self._model: Model | None = None
        self._opening: asyncio.Task[None] | None = None
        self._replaced_at: float | None = None
        self._timeouts = 0
        self._broken: str | None = None

    @property
    def execution(self) -> Execution | None:
        """Where and in which precision the model runs; None while it is not open."""
        return self._model.execution if self._model is not None else None

    @property
    def usable(self) -> bool:
        """Whether the model works or can still be opened."""
        return self._broken is None

    async def open(self) -> None:
        """Open and check the model; a second time if its precision is too low, then in float32.

        Raises:
            ModelHung: the time limit was exceeded.
            Exception: what opening or checking raises.
        """
        until = self._clock() + self._time_limits.open_seconds
        model = None
        with suppress(PrecisionTooLow):
            model = await self._open_and_check(until)
        if model is None:  # outside the exception's block, which would keep the first model in memory
            model = await self._open_and_check(until)
        if self._broken is None:
            self._model = model

    async def ensure_open(self) -> None:
        """Open the model if it is not open; a failure counts like one of a run.

        A cancelled caller does not stop the opening.

        Raises:
            ModelBroken: the model does not work.
        """
        if self._model is None and self._broken is None:
            if self._opening is None or self._opening.done():
                self._opening = asyncio.create_task(self._reopen())
            await asyncio.shield(self._opening)
        if self._broken is not None:
            raise ModelBroken(self._broken)

    async def run(self, pixels: Pixels, unwanted: asyncio.Event, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch `[N, H, W, 3]`, with styles in the styles `[N, d]`.

        If the run fails, the model is replaced and the run repeated.

        Raises:
            RunCancelled: `unwanted` was set before the run ended.
            ModelBroken: the model does not work, and was replaced already.
        """
        while True:
            await self.ensure_open()
            try:
                return await self._run(pixels, unwanted, style)
            except RunCancelled:
                raise
            except ModelHung as error:
                self._replace(str(error))
                await self.ensure_open()
                raise RunCancelled from None
            except Exception as error:
                if self._broken is None:
                    log.exception("%s: a run failed", self._name)
                self._replace(f"a run failed: {error}")

    def close(self) -> None:
        """Terminate the run, end the thread and release the model."""
        if self._model is not None:
            self._model.terminate()
        self._release("it was closed")

    async def _open_and_check(self, until: float) -> Model:
        model: Model = await self._limit(self._thread.submit(self._open_model), None, until)
        await self._limit(self._thread.submit(lambda: self._check(model)), model, until)
        return model

    async def _reopen(self) -> None:
        while self._model is None and self._broken is None:
            try:
                await self.open()
            except BundleError as error:  # opening would read the same bytes again
                self._break(str(error))
            except Exception as error:  # onnxruntime's exceptions have no common base
                self._replace(f"it could not be opened: {error}")
        if self._broken is None:
            self._on_event(ModelEvent("replaced"))

    def _replace(self, reason: str) -> None:
        """Release the model so that it is opened again; break it if it was replaced not long ago."""
        self._model = None
        now = self._clock()
        if self._replaced_at is not None and now - self._replaced_at < REPLACE_AGAIN_SECONDS:
            self._break(f"{reason}, after it had been replaced")
        elif self._broken is None:
            log.warning("%s is being replaced: %s", self._name, reason)
            self._replaced_at = now
            self._on_event(ModelEvent("replacing", reason))

    async def _run(self, pixels: Pixels, unwanted: asyncio.Event, style: StyleCodes | None) -> Outputs:
        if unwanted.is_set():  # opening can take long
            raise RunCancelled
        model = self._model
        assert model is not None
        started = self._clock()
        run = self._thread.submit(lambda: model.run(pixels, style))
        cancelled = asyncio.create_task(unwanted.wait())
        try:
            await asyncio.wait((run, cancelled), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            run.cancel()
            raise
        finally:
            cancelled.cancel()
        if run.done():
            self._timeouts = 0
            return run.result()
        seconds = self._clock() - started
        if not await self._terminate(model, run):
            self._abandon(run)
            raise ModelHung("a run could not be stopped")
        self._count_timeout(seconds)
        raise RunCancelled

    def _count_timeout(self, seconds: float) -> None:
        """Count a terminated run that had exceeded the time limit.

        Raises:
            ModelHung: it is the last of `MAX_TIMEOUTS_IN_A_ROW`.
        """
        limit = self._time_limits.run_seconds
        self._timeouts += seconds >= limit
        if self._timeouts >= MAX_TIMEOUTS_IN_A_ROW:
            self._timeouts = 0
            raise ModelHung(f"{MAX_TIMEOUTS_IN_A_ROW} runs in a row did not end within {limit:g} s")

    async def _limit(self, call: asyncio.Future[Any], model: Model | None, until: float) -> Any:
        """Return the result of a call in the thread; terminate or abandon it when its time is over.

        Raises:
            ModelHung: the time limit was exceeded.
        """
        try:
            await asyncio.wait({call}, timeout=max(0.0, until - self._clock()))
        except asyncio.CancelledError:
            call.cancel()
            raise
        if call.done():
            return call.result()
        if model is None or not await self._terminate(model, call):
            self._abandon(call)
        raise ModelHung(f"opening took more than {self._time_limits.open_seconds:g} s (UGATIT_LOAD_SECONDS)")

    async def _terminate(self, model: Model, run: asyncio.Future[Any]) -> bool:
        """Terminate the run; return whether it ended in time.

        Repeated, because onnxruntime ignores a termination before its thread has started the run.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + TERMINATE_SECONDS
        while not run.done() and clock() < until:
            model.terminate()
            await asyncio.wait({run}, timeout=min(_TERMINATE_AGAIN_SECONDS, TERMINATE_SECONDS))
        return run.done()

    def _abandon(self, call: asyncio.Future[Any]) -> None:
        """Leave the thread and its model behind and start a new thread: native code cannot be interrupted."""
        log.error("%s: a call could not be stopped; its thread is abandoned", self._name)
        call.cancel()
        self._thread.stop()
        self._model = None
        if self._broken is None:
            self._thread = WorkerThread(self._name)

    def _break(self, reason: str) -> None:
        if self._broken is None:
            self._release(reason)
            self._on_event(ModelEvent("broken", reason))

    def _release(self, reason: str) -> None:
        self._broken = self._broken or reason
        self._thread.stop()
        self._model = None
