"""A process that saves until it is killed, again and again. Run as `python -m tests.checkpoint.saver`.

It imports torch once. Each line it reads, `DIRECTORY FIRST CALLS`, is one child, forked to save the steps
from FIRST on and to acknowledge each. The child kills itself at its CALLS-th call to the disk, or never if
CALLS is 0.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from pathlib import Path

from tests.checkpoint import making
from tests.checkpoint.strikes import real_write, striking
from training.checkpoint.keep import keep
from training.checkpoint.write import save

VALUES = 2_000
LAST = 2


def say(word: str) -> None:
    real_write(1, f"{word}\n".encode())


def save_for_ever(directory: Path, first: int, calls: int) -> None:
    left = itertools.count(calls - 1, -1)

    def kill(name: str) -> bool:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    if calls:
        os.fsync = lambda _: None  # what a process wrote survives its kill; this one dies a hundred times
    with striking(kill, OSError()):
        for step in itertools.count(first):
            # Steps that are best now and then, so that retention has something to decide.
            save(directory, making.checkpoint(step, values=VALUES), score=float(-step % 5))
            say(f"saved {step}")
            keep(directory, last=LAST)


def main() -> None:
    for line in sys.stdin:
        directory, first, calls = line.split()
        child = os.fork()
        if child == 0:
            save_for_ever(Path(directory), int(first), int(calls))
        say(f"child {child}")
        os.waitpid(child, 0)
        say("over")


if __name__ == "__main__":
    main()
