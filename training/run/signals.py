"""Signals that ask a run to stop after its step."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType
from typing import Any, Final

_ASKING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stop:
    """Whether a stop was asked for."""

    asked = False


@contextmanager
def stop_on_signals(*, patient: bool = False, say: Callable[[str], None] = lambda _: None) -> Iterator[Stop]:
    """SIGTERM, SIGINT, and the SIGHUP of a terminal that closes ask for a stop.

    Under `nohup`, which ignores SIGHUP, it stays ignored.

    Args:
        patient: a second signal changes nothing. Else it does what it did before, for a user who cannot wait.
            A launcher of several processes passes on to each what the terminal has sent to all, so that each
            gets every signal twice.
        say: called once, at the first SIGTERM or SIGINT, from another thread: also while the main thread is
            in a long computation, where no handler of Python runs.
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

    with _saying(lambda: say("Stopping after this step.")):
        for number in _ASKING:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, ask)
        try:
            yield stop
        finally:
            for asking, handler in before.items():
                signal.signal(asking, handler)


@contextmanager
def _saying(say: Callable[[], None]) -> Iterator[None]:
    """Call `say` in a thread once SIGTERM or SIGINT has come.

    The interpreter writes the number of each signal to a socket at once. It runs handlers only between two
    instructions of the main thread, and a whole backward pass is one instruction.
    """
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)

    def listen() -> None:
        while number := ours.recv(1):
            if number[0] in (signal.SIGTERM, signal.SIGINT):
                say()
                return

    listener = Thread(target=listen, name="ugatit-signals", daemon=True)
    listener.start()
    previous = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        theirs.close()
        listener.join()
        ours.close()


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
