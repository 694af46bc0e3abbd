"""The supervisor of several workers, with fake processes."""

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
"""The end of a start: an exit code, or an error that prevents the start."""


class FakeProcess:
    """A process that ends with a given code, or with 0 after a signal."""

    pid = 7

    def __init__(self, code: int | None) -> None:
        self.returncode = code
        self._signalled = asyncio.Event()

    async def wait(self) -> int:
        if self.returncode is None:
            await self._signalled.wait()
            self.returncode = 0
        return self.returncode

    def send_signal(self, _signalled: signal.Signals = signal.SIGTERM) -> None:
        self._signalled.set()

    terminate = kill = send_signal


@pytest.fixture
def supervise(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[End]], tuple[int, int]]:
    """Return a function that runs two workers and returns the exit code and the first worker's starts.

    The first worker ends as given, start after start; then it stays alive and the supervisor is stopped.
    """
    monkeypatch.setattr("app.http.server.supervisor._FIRST_PAUSE_SECONDS", 0)

    def run(ends: list[End]) -> tuple[int, int]:
        with socket.socket() as listening:
            supervisor = Supervisor(2, listening, grace_seconds=30, reloads=False)
            starts = 0

            async def start(*arguments: str, **_: object) -> FakeProcess:
                nonlocal starts
                if arguments[arguments.index("--worker") + 1] != "1":
                    return FakeProcess(None)
                starts += 1
                if starts > len(ends):
                    supervisor.stop()
                    return FakeProcess(None)
                end = ends[starts - 1]
                if isinstance(end, OSError):
                    raise end
                return FakeProcess(end)

            monkeypatch.setattr("app.http.server.supervisor.asyncio.create_subprocess_exec", start)
            return asyncio.run(asyncio.wait_for(supervisor.run(), 30)), starts

    return run


def test_usage_error_at_the_first_start_stops_the_service(
    supervise: Callable[[list[End]], tuple[int, int]],
) -> None:
    assert supervise([2]) == (2, 1)


def test_usage_error_at_a_restart_keeps_the_other_workers(
    supervise: Callable[[list[End]], tuple[int, int]],
) -> None:
    assert supervise([-9, 2, 2]) == (0, 4)


def test_worker_that_cannot_start_for_lack_of_memory_is_retried(
    supervise: Callable[[list[End]], tuple[int, int]],
) -> None:
    assert supervise([-9, OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))]) == (0, 3)
