"""The supervisor of several workers, whose processes a test makes up."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
from collections.abc import Callable

import pytest

from app.http.server.supervisor import Supervisor

End = int | OSError
"""How a start ends: with an exit code, or before it began."""


class MadeUp:
    """A process that ends with a code by itself, or with 0 when it is told to."""

    pid = 7

    def __init__(self, code: int | None) -> None:
        self.returncode = code
        self._told = asyncio.Event()

    async def wait(self) -> int:
        if self.returncode is None:
            await self._told.wait()
            self.returncode = 0
        return self.returncode

    def send_signal(self, _told: signal.Signals = signal.SIGTERM) -> None:
        self._told.set()

    terminate = kill = send_signal


@pytest.fixture
def supervise(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[End]], tuple[int, int]]:
    """Run two workers, the first of which ends so, start after start; their exit code and the first's starts.

    Once all those starts are over it lives, and the supervisor is told to leave.
    """
    monkeypatch.setattr("app.http.server.supervisor._FIRST_PAUSE_SECONDS", 0)

    def run(ends: list[End]) -> tuple[int, int]:
        with socket.socket() as listening:
            supervisor = Supervisor(2, listening, grace_seconds=30, reloads=False)
            starts = 0

            async def start(*arguments: str, **_: object) -> MadeUp:
                nonlocal starts
                if arguments[arguments.index("--worker") + 1] != "1":
                    return MadeUp(None)
                starts += 1
                if starts > len(ends):
                    supervisor.stop()
                    return MadeUp(None)
                end = ends[starts - 1]
                if isinstance(end, OSError):
                    raise end
                return MadeUp(end)

            monkeypatch.setattr("app.http.server.supervisor.asyncio.create_subprocess_exec", start)
            return asyncio.run(asyncio.wait_for(supervisor.run(), 30)), starts

    return run


def test_a_mistake_at_the_first_start_ends_all(supervise: Callable[[list[End]], tuple[int, int]]) -> None:
    assert supervise([2]) == (2, 1)


def test_a_mistake_that_was_made_since_does_not_end_the_workers_that_serve(
    supervise: Callable[[list[End]], tuple[int, int]],
) -> None:
    assert supervise([-9, 2, 2]) == (0, 4)


def test_a_worker_that_cannot_be_started_for_want_of_memory_is_tried_again(
    supervise: Callable[[list[End]], tuple[int, int]],
) -> None:
    assert supervise([-9, OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))]) == (0, 3)
