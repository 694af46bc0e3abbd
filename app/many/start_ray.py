"""Connect to a Ray cluster, or start Ray on this machine."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Final

import ray

_OBJECT_STORE_BYTES: Final = 1024**3
"""Of a Ray that this module starts: ample for the pictures between the stages of one machine."""
LOGS: Final = "/tmp/ray/session_latest/logs"  # noqa: S108 (only named to the user)
_STARTS: Final = 3
"""Attempts to start Ray, which gives each 30 seconds: too few on a machine that is busy."""


class RayFailed(Exception):
    """Ray could not run. The message is one sentence with the remedy."""


@contextmanager
def connected() -> Iterator[IO[str]]:
    """Connect to the cluster at RAY_ADDRESS, or start Ray on this machine, until the end of the block.

    Ray prints notes about every process that ends, which are in its logs too. So stdout and stderr are closed
    to it; the block gets a file that still writes to stderr.

    Raises:
        RayFailed: Ray could not be started or reached.
    """
    with _only_own_lines() as terminal:
        _start(os.environ.get("RAY_ADDRESS") or "local", attempts=_STARTS)
        try:
            yield terminal
        finally:
            ray.shutdown()


def last_line(error: Exception) -> str:
    """Return the last line of an error, which names its cause, without a full stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__).rstrip(".")


def _start(address: str, *, attempts: int) -> None:
    own = {"object_store_memory": _OBJECT_STORE_BYTES, "include_dashboard": False}
    options = own if address == "local" else {}
    try:
        ray.init(address, logging_level=logging.ERROR, log_to_driver=False, **options)
    except Exception as error:  # Ray raises that itself, and others, when a process of it does not start
        ray.shutdown()
        if address != "local":
            raise RayFailed(
                f"Ray could not be reached at RAY_ADDRESS={address}: {last_line(error)}; check the address, "
                "or unset it to start Ray on this machine."
            ) from error
        if attempts == 1:
            raise RayFailed(
                f"Ray could not be started on this machine: {last_line(error)}; see its logs in {LOGS}."
            ) from error
        _start(address, attempts=attempts - 1)


@contextmanager
def _only_own_lines() -> Iterator[IO[str]]:
    """Send what is written to stdout and stderr to nowhere; yield a file that still writes to stderr."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in kept:
        os.dup2(nowhere, number)
    os.close(nowhere)
    try:
        with os.fdopen(os.dup(kept[2]), "w", errors="backslashreplace") as terminal:
            yield terminal
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, copy in kept.items():
            os.dup2(copy, number)
            os.close(copy)
