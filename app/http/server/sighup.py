"""Handle SIGHUP: reload the bundles, or stop when the terminal was closed."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def handling_sighup(on_reload: Callable[[], None], on_terminal_closed: Callable[[], None]) -> Iterator[None]:
    """Handle SIGHUP while the block runs, in the event loop of the main thread.

    Args:
        on_reload: called when a user or a program sends SIGHUP.
        on_terminal_closed: called when the terminal that started the service was closed. Never called under
            nohup.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGHUP"):
        yield
        return
    detached = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN or not _has_terminal()

    def handle() -> None:
        if detached or _has_terminal():
            on_reload()
        else:
            on_terminal_closed()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, handle)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # a worker starts with SIGHUP blocked
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a late SIGHUP must not interrupt the shutdown


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
