"""Prepare results in a thread before they are requested."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Request = TypeVar("Request")
Result = TypeVar("Result")


class Prefetcher(Generic[Request, Result]):
    """Computes results in a thread, and prepares those of the requests expected next.

    A result depends on its request alone: a wrong expectation costs time, never a wrong result. For one
    caller.
    """

    def __init__(
        self, work: Callable[[Request], Result], following: Callable[[Request], Request], *, ahead: int
    ) -> None:
        self._work = work
        self._following = following
        self._ahead = ahead
        self._pending: deque[tuple[Request, Future[Result]]] = deque()
        self._thread = ThreadPoolExecutor(1, "ugatit-prefetch")

    def take(self, request: Request) -> Result:
        """Return the result of a request; raise what its work raised."""
        if self._pending and self._pending[0][0] != request:
            self._forget()
        if not self._pending:
            self._start(request)
        future = self._pending.popleft()[1]
        last = self._pending[-1][0] if self._pending else request
        while len(self._pending) < self._ahead:
            last = self._following(last)
            self._start(last)
        return future.result()

    def close(self) -> None:
        """Stop the thread and drop the prepared results."""
        self._forget()
        self._thread.shutdown()

    def _start(self, request: Request) -> None:
        self._pending.append((request, self._thread.submit(self._work, request)))

    def _forget(self) -> None:
        while self._pending:
            self._pending.popleft()[1].cancel()
