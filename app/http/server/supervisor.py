"""Several processes that share one address: started, watched, replaced, and told to leave together."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from tempfile import TemporaryDirectory
from typing import Final

from app.http.server.sighup import on_hangup

_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0
_STEADY_SECONDS: Final = 60.0
"""A worker that lived so long did not die of how it was started: the next one need not wait longer."""
_MARGIN_SECONDS: Final = 3.0
"""A worker leaves hard by itself a second after its grace; one that does not even do that is killed."""
_MISTAKE: Final = 2
"""The exit code for a mistake of the user's, which another start would only repeat. Of a worker that is
started again it tells of something that went wrong since, and the others go on."""

log = logging.getLogger("ugatit.http")


class Supervisor:
    """Keeps workers running on a listening socket that they inherit.

    One socket, not one each (SO_REUSEPORT): who waits in its queue when a worker dies is served by another.
    The workers are started anew, not forked: a runtime's threads do not survive a fork.
    """

    def __init__(
        self, workers: int, listening: socket.socket, *, grace_seconds: float, reloads: bool
    ) -> None:
        """Start nothing yet.

        Args:
            workers: how many.
            listening: what they accept connections from.
            grace_seconds: how long each may take to leave.
            reloads: whether SIGHUP is theirs to hear.
        """
        self._workers = workers
        self._listening = listening
        self._grace_seconds = grace_seconds
        self._reloads = reloads
        self._meeting = TemporaryDirectory(prefix="ugatit-")
        self._processes: dict[int, Process] = {}
        self._leaving = asyncio.Event()
        self._code = 0

    async def run(self) -> int:
        """Keep the workers running until told to leave; the exit code."""
        loop = asyncio.get_running_loop()
        for told in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(told, self.leave)
        hangup = on_hangup(self._pass_on_hangup, self.leave) if self._reloads else nullcontext()
        with self._meeting, hangup:
            async with asyncio.TaskGroup() as group:
                for number in range(1, self._workers + 1):
                    group.create_task(self._keep(number))
        return self._code

    def leave(self) -> None:
        """Tell all to leave; told a second time, they do so at once."""
        if not self._leaving.is_set():
            asyncio.get_running_loop().call_later(self._grace_seconds + _MARGIN_SECONDS, self._kill)
        self._leaving.set()
        self._send(signal.SIGTERM)

    async def _keep(self, number: int) -> None:
        """Start a worker, and another when it ends, until all are told to leave."""
        pause, first = _FIRST_PAUSE_SECONDS, True
        while not self._leaving.is_set():
            started = time.monotonic()
            code, what = await self._live(number)
            if self._leaving.is_set():
                self._note(code)
            elif code == _MISTAKE and first:  # it has said which
                self._code = _MISTAKE
                self.leave()
            else:
                if time.monotonic() - started > _STEADY_SECONDS:
                    pause = _FIRST_PAUSE_SECONDS
                log.error("Worker %d %s; another starts in %g s", number, what, pause)
                await self._rest(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            first = False

    async def _live(self, number: int) -> tuple[int, str]:
        """From a worker's start to its end: its exit code, and what happened in words."""
        try:
            process = await self._start(number)
        except OSError as error:  # no memory for it now: the others must not suffer
            return 0, f"cannot be started ({error.strerror})"
        code = await process.wait()
        del self._processes[number]
        return code, f"(process {process.pid}) ended with {code}"

    async def _start(self, number: int) -> Process:
        fd = self._listening.fileno()
        arguments = [*sys.orig_argv[1:], "--worker", str(number), "--socket", str(fd)]
        arguments += ["--meeting", self._meeting.name]
        with _hangups_wait():
            process = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, stdin=PIPE, pass_fds=(fd,), start_new_session=True
            )
        self._processes[number] = process
        if self._leaving.is_set():  # told while it was being started
            process.terminate()
        return process

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._leaving.wait()
        except TimeoutError:
            return

    def _note(self, code: int) -> None:
        """One that was told before it had begun to listen for that simply ended: that is no failure."""
        if code not in (0, -signal.SIGTERM) and not self._code:
            self._code = 1

    def _pass_on_hangup(self) -> None:
        self._send(signal.SIGHUP)

    def _kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, told: signal.Signals) -> None:
        for process in self._processes.values():
            if process.returncode is None:
                process.send_signal(told)


@contextmanager
def _hangups_wait() -> Iterator[None]:
    """A worker is born with SIGHUP held back, until it can hear it: unheard it would end it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_when_orphaned() -> None:
    """In a worker: leave in good order when the supervisor is gone, however it went.

    Its end of the standard input closes with it.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
