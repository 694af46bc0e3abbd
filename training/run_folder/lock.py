"""Lock a run's folder, so that only one process writes to it."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from training.run_folder.folder import LOCK, RunError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder until the end of the block.

    The kernel releases the lock when the process ends, even if it is killed. The file is never deleted:
    another process might have locked it in the meantime.

    Raises:
        RunError: another process holds the lock; the message names it.
    """
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(
                f"{folder} is in use by {_holder(folder)}; wait until that process ends."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _holder(folder: Path) -> str:
    return (folder / LOCK).read_text(encoding="utf-8") or "another process"
