"""A thread for calls that may never return."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_Call = tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]


class WorkerThread:
    """Runs calls one after the other in one daemon thread, which starts at the first call.

    The process would wait at its exit for an executor's thread that hangs in native code, which nothing can
    interrupt. It does not wait for a daemon thread.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._name = name
        self._started = self._stopped = False

    def submit(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Run `call` in the thread and return its future; cancelled before the call starts, it never runs.

        Raises:
            RuntimeError: the thread was stopped.
        """
        if self._stopped:
            raise RuntimeError("the model's thread was stopped")
        if not self._started:  # most models for photos at their own shape are never used
            self._started = True
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.put((call, future, loop))
        return future

    def stop(self) -> None:
        """End the thread after the calls that were submitted."""
        self._stopped = True
        self._calls.put(None)

    def _work(self) -> None:
        while (item := self._calls.get()) is not None:
            call, future, loop = item
            if future.cancelled():
                continue
            try:
                result, error = call(), None
            except BaseException as caught:
                result, error = None, _as_exception(caught)
            _deliver(loop, future, result, error)
            del item, call, future, result, error  # keep no pictures in memory until the next call


def _as_exception(error: BaseException) -> Exception:
    """Return an exception that a future can hold, and that does not end the event loop."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"the call ended its thread: {error!r}")


def _deliver(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], result: Any, error: Any) -> None:
    def settle() -> None:
        if not future.done():
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
                future.exception()  # mark it as seen: asyncio logs it as lost where nobody awaits it

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop is closed: no task awaits the future
        return
