"""A process whose children save until they are killed. Run as `python -m tests.checkpoint.saver`.

It imports torch once. For each line it reads, `DIRECTORY FIRST CALLS`, it forks a child that saves the steps
from FIRST on and prints each saved step. The child kills itself at its CALLS-th call to the disk, or never if
CALLS is 0.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from tests.checkpoint import making
from tests.checkpoint.disk_faults import failing_disk, real_write
from training.checkpoint.keep import keep
from training.checkpoint.write import save

VALUES = 2_000
LAST = 2


def say(word: str) -> None:
    real_write(1, f"{word}\n".encode())


def save_forever(directory: Path, first: int, calls: int) -> None:
    left = itertools.count(calls - 1, -1)

    def kill(name: str) -> bool:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    if calls:
        os.fsync = lambda _: (
            None
        )  # written data survives a kill without fsync, and this test kills a hundred times
    with failing_disk(kill, OSError()):
        for step in itertools.count(first):
            # Some steps are the best so far, so that retention keeps different ones.
            save(directory, making.checkpoint(step, values=VALUES), score=float(-step % 5))
            say(f"saved {step}")
            keep(directory, last=LAST)


def main() -> None:
    for line in sys.stdin:
        directory, first, calls = line.split()
        child = os.fork()
        if child == 0:
            save_forever(Path(directory), int(first), int(calls))
        say(f"child {child}")
        os.waitpid(child, 0)
        say("over")


if __name__ == "__main__":
    main()
