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

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Stop:
    """Whether a stop was requested."""

    requested = False


@contextmanager
def stop_on_signals(*, patient: bool = False, say: Callable[[str], None] = lambda _: None) -> Iterator[Stop]:
    """Request a stop at SIGTERM, at SIGINT, and at the SIGHUP of a closed terminal.

    SIGHUP stays ignored under `nohup`.

    Args:
        patient: ignore a second signal. Otherwise it has its previous effect, for a user who cannot wait.
            With several processes each gets every signal twice: the terminal sends it to all, and the
            launcher forwards it.
        say: called once, at the first SIGTERM or SIGINT, from another thread, so that it also works during a
            long computation of the main thread, when no Python handler runs.
    """
    stop = Stop()
    before: dict[int, Any] = {}
    terminals = [number for number in (1, 2) if os.isatty(number)]

    def request_stop(number: int, _frame: FrameType | None) -> None:
        stop.requested = True
        if number == signal.SIGHUP:  # sent twice, by the kernel and by the shell
            _discard_output(terminals)
        elif not patient:
            signal.signal(number, before[number])

    with _report_first(lambda: say("Stopping after this step.")):
        for number in _STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, request_stop)
        try:
            yield stop
        finally:
            for changed, handler in before.items():
                signal.signal(changed, handler)


@contextmanager
def _report_first(say: Callable[[], None]) -> Iterator[None]:
    """Call `say` in a thread at the first SIGTERM or SIGINT.

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


def handle_interrupts() -> None:
    """Let SIGINT interrupt a command that a shell started with `&`, which makes it ignore SIGINT."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _discard_output(terminals: list[int]) -> None:
    """Redirect output to the null device: writing to a closed terminal would raise before the last save."""
    null = os.open(os.devnull, os.O_WRONLY)
    for number in terminals:
        os.dup2(null, number)
    os.close(null)
