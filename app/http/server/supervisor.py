"""Supervise several worker processes that share one address: start, restart and stop them."""

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

from app.http.server.sighup import handling_sighup

_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0
_STEADY_SECONDS: Final = 60.0
"""A worker that ran this long did not fail because of its start, so the pause before a restart is reset."""
_MARGIN_SECONDS: Final = 3.0
"""A worker ends itself a second after its grace; the supervisor kills one that does not."""
_USAGE_EXIT_CODE: Final = 2
"""The exit code for a user's mistake. At a worker's first start it ends the service, because a restart would
fail in the same way. At a restart the mistake is newer than the service: the other workers keep serving."""

log = logging.getLogger("ugatit.http")


class Supervisor:
    """Keeps workers running on a listening socket that they inherit.

    All share one socket instead of one each (SO_REUSEPORT): when a worker dies, the connections in the
    socket's queue are accepted by another. Workers are new processes, not forks: the threads of a runtime do
    not survive a fork.
    """

    def __init__(
        self, workers: int, listening: socket.socket, *, grace_seconds: float, reloads: bool
    ) -> None:
        """Prepare without starting a worker.

        Args:
            workers: the number of workers.
            listening: the socket they accept connections from.
            grace_seconds: the time each may take to stop.
            reloads: whether workers handle SIGHUP.
        """
        self._workers = workers
        self._listening = listening
        self._grace_seconds = grace_seconds
        self._reloads = reloads
        self._socket_dir = TemporaryDirectory(prefix="ugatit-")
        self._processes: dict[int, Process] = {}
        self._starting = asyncio.Lock()  # two starts at once would each restore the other's signal mask
        self._stopping = asyncio.Event()
        self._exit_code = 0

    async def run(self) -> int:
        """Keep the workers running until a signal stops them; return the exit code."""
        loop = asyncio.get_running_loop()
        for stop_signal in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(stop_signal, self.stop)
        sighup = handling_sighup(self._forward_sighup, self.stop) if self._reloads else nullcontext()
        with self._socket_dir, sighup:
            async with asyncio.TaskGroup() as group:
                for number in range(1, self._workers + 1):
                    group.create_task(self._keep_running(number))
        return self._exit_code

    def stop(self) -> None:
        """Stop all workers gracefully; a second call stops them at once."""
        if not self._stopping.is_set():
            asyncio.get_running_loop().call_later(self._grace_seconds + _MARGIN_SECONDS, self._kill)
        self._stopping.set()
        self._send(signal.SIGTERM)

    async def _keep_running(self, number: int) -> None:
        """Start a worker, and start it again whenever it ends, until the service stops."""
        pause, first = _FIRST_PAUSE_SECONDS, True
        while not self._stopping.is_set():
            started = time.monotonic()
            code, event = await self._run_once(number)
            if self._stopping.is_set():
                self._note_exit(code)
            elif code == _USAGE_EXIT_CODE and first:  # the worker has printed the reason
                self._exit_code = _USAGE_EXIT_CODE
                self.stop()
            else:
                if time.monotonic() - started > _STEADY_SECONDS:
                    pause = _FIRST_PAUSE_SECONDS
                log.error("Worker %d %s; another starts in %g s", number, event, pause)
                await self._pause(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
            first = False

    async def _run_once(self, number: int) -> tuple[int, str]:
        """Run a worker until it ends; return its exit code and what happened, in words."""
        try:
            process = await self._start(number)
        except OSError as error:  # no memory for it now: the other workers must keep running
            return 0, f"cannot be started ({error.strerror})"
        code = await process.wait()
        del self._processes[number]
        return code, f"(process {process.pid}) ended with {code}"

    async def _start(self, number: int) -> Process:
        fd = self._listening.fileno()
        arguments = [*sys.orig_argv[1:], "--worker", str(number), "--socket", str(fd)]
        arguments += ["--socket-dir", self._socket_dir.name]
        async with self._starting:
            with _sighup_blocked():
                process = await asyncio.create_subprocess_exec(
                    sys.executable, *arguments, stdin=PIPE, pass_fds=(fd,), start_new_session=True
                )
        self._processes[number] = process
        if self._stopping.is_set():  # the signal arrived while the worker was starting
            process.terminate()
        return process

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _note_exit(self, code: int) -> None:
        """Set the exit code after a failure. SIGTERM may end a worker that has no handler yet: no failure."""
        if code not in (0, -signal.SIGTERM) and not self._exit_code:
            self._exit_code = 1

    def _forward_sighup(self) -> None:
        self._send(signal.SIGHUP)

    def _kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, sent: signal.Signals) -> None:
        for process in self._processes.values():
            if process.returncode is None:
                process.send_signal(sent)


@contextmanager
def _sighup_blocked() -> Iterator[None]:
    """Start workers with SIGHUP blocked until their handler is set; without a handler it would end them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def terminate_with_supervisor() -> None:
    """Send SIGTERM to this worker when its supervisor ends for any reason.

    The supervisor holds the other end of the worker's standard input, which closes with it.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="supervisor-watch", daemon=True).start()
