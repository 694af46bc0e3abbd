"""One process at a time writes to a run's folder."""

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
    """Hold a folder while a run writes to it.

    The lock is the kernel's: it ends with the process that holds it, however that process ends. The file
    stays: who deletes it could delete the one that another process has just locked.

    Raises:
        RunError: another process holds it, naming that process.
    """
    with (folder / LOCK).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"{folder} is in use by {_holder(folder)}; wait until that ends.") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def _holder(folder: Path) -> str:
    return (folder / LOCK).read_text(encoding="utf-8") or "another process"
