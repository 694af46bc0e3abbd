"""Start processes that outlive the command, recognise them later, and stop them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel

_POLL_SECONDS: Final = 0.05
_KILL_SECONDS: Final = 5.0
_START_FIELD: Final = 19
"""Of /proc/PID/stat, counted from the state."""


class StartedProcess(BaseModel):
    """A process, recognised by the time of its start too: the system uses numbers again."""

    pid: int
    started: str


def start(
    command: Sequence[str], log: Path, environment: Mapping[str, str], *, inherited: Sequence[int] = ()
) -> StartedProcess:
    """Start a process in a session of its own, so that it outlives the terminal.

    Args:
        command: the path of the program, and its arguments.
        log: the file that gets what it prints.
        environment: all of its variables.
        inherited: file descriptors that it keeps.
    """
    for descriptor in inherited:
        os.set_inheritable(descriptor, True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        command[0],
        list(command),
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    return StartedProcess(pid=pid, started=_start_time(pid))


def is_running(process: StartedProcess) -> bool:
    """Return whether the process still runs."""
    _reap(process.pid)
    return bool(process.started) and _start_time(process.pid) == process.started


def stop(process: StartedProcess, seconds: float) -> None:
    """End a process: ask it by SIGTERM, kill its whole session's group when the time is over."""
    _signal(process, signal.SIGTERM)
    if not _wait(process, seconds):
        _signal(process, signal.SIGKILL)
        _wait(process, _KILL_SECONDS)


def _wait(process: StartedProcess, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while is_running(process):
        if time.monotonic() > until:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _signal(process: StartedProcess, number: signal.Signals) -> None:
    if is_running(process):
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)


def _reap(pid: int) -> None:
    """Collect a child that has ended, so that it does not look alive."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def _start_time(pid: int) -> str:
    """Return when a process started, as the system writes it; empty if it does not run."""
    try:
        # The name, in parentheses, may contain spaces; the fields after it start with the state.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return fields[_START_FIELD]
    except OSError:
        return _start_time_by_ps(pid) if not Path("/proc/self/stat").exists() else ""


def _start_time_by_ps(pid: int) -> str:
    shown = subprocess.run(  # noqa: S603
        ["ps", "-o", "lstart=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    return shown.stdout.strip()
