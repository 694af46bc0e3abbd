"""A thread of one's own, for calls that may never return."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_Call = tuple[Callable[[], Any], asyncio.Future[Any], asyncio.AbstractEventLoop]


class Worker:
    """Runs calls one after the other in one daemon thread.

    An executor would make the process wait at its exit for a call that hangs in native code, where nothing
    can interrupt it; a daemon thread is left behind.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._stopped = False
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Run `call` in the thread. A future that is cancelled before its turn is never run.

        Raises:
            RuntimeError: the thread was told to end.
        """
        if self._stopped:
            raise RuntimeError("the thread of the model was told to end")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._calls.put((call, future, loop))
        return future

    def stop(self) -> None:
        """Let the thread end after what was submitted."""
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
                result, error = None, _harmless(caught)
            _deliver(loop, future, result, error)
            del item, call, future, result, error  # hold no pictures while waiting for the next call


def _harmless(error: BaseException) -> Exception:
    """Whatever it is belongs to the one who awaits, but what would stop his loop, or no future can hold."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"its thread was told to end: {error!r}")


def _deliver(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], result: Any, error: Any) -> None:
    def settle() -> None:
        if not future.done():
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

    try:
        loop.call_soon_threadsafe(settle)
    except RuntimeError:  # the loop has closed: nobody awaits any more
        return
