"""Run the command as a process in a clean environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


def environment(**variables: str) -> dict[str, str]:
    """Return the environment with only the given settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("UGATIT_")}
    return clean | {"PYTHONPATH": str(ROOT), "UGATIT_PROVIDER": "cpu"} | variables


@contextmanager
def signals_delivered() -> Iterator[None]:
    """Let processes started inside the block handle SIGINT and SIGHUP.

    A shell starts `make test &` with SIGINT ignored, `nohup` ignores SIGHUP, and every child inherits that.
    """
    ignored = [
        number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) == signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def ugatit(
    *arguments: str | Path, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `ugatit` to its end and return its result."""
    command = [sys.executable, "-m", "app", *map(str, arguments)]
    return subprocess.run(
        command, env=environment(**variables), cwd=cwd, capture_output=True, text=True, timeout=300
    )
