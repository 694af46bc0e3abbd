"""Signals that ask a run to stop after its step."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

_ASKING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stop:
    """Whether a stop was asked for."""

    asked = False


@contextmanager
def stop_on_signals(*, patient: bool = False) -> Iterator[Stop]:
    """SIGTERM, SIGINT, and the SIGHUP of a terminal that closes ask for a stop.

    Under `nohup`, which ignores SIGHUP, it stays ignored.

    Args:
        patient: a second signal changes nothing. Else it is Python's own again, for who cannot wait. What
            starts several processes passes on to each what the terminal has sent to all, so that each gets
            every signal twice.
    """
    stop = Stop()
    before: dict[int, Any] = {}
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def ask(number: int, _frame: FrameType | None) -> None:
        stop.asked = True
        if number == signal.SIGHUP:  # comes twice, from the kernel and from the shell
            _silence(terminals)
        elif not patient:
            signal.signal(number, before[number])

    for number in _ASKING:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            before[number] = signal.signal(number, ask)
    try:
        yield stop
    finally:
        for asking, handler in before.items():
            signal.signal(asking, handler)


def obey_interrupts() -> None:
    """Let SIGINT interrupt a command that a shell started with `&`, which makes it ignore SIGINT."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _silence(terminals: list[int]) -> None:
    """Writing to a terminal that is gone would be an error, on the way to the last checkpoint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in terminals:
        os.dup2(nowhere, number)
    os.close(nowhere)
