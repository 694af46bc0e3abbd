"""What SIGHUP means: look at the bundles again; or, when a terminal was closed, leave."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def on_hangup(reload: Callable[[], None], leave: Callable[[], None]) -> Iterator[None]:
    """Listen for SIGHUP while the block runs, in the event loop of the main thread.

    Args:
        reload: what to do when somebody sends it.
        leave: what to do when the terminal that the service was started from is gone. Under nohup that is
            nothing.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "SIGHUP"):
        yield
        return
    stays = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN or not _has_terminal()

    def heard() -> None:
        if stays or _has_terminal():
            reload()
        else:
            leave()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, heard)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # a worker is started with it held back
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # one that comes late must not end what is leaving


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
