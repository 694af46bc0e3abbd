"""A process whose children train until they are killed. Run as `python -m tests.training.killed_trainer`.

It imports torch once. For each line it reads, a JSON list of arguments, it forks a child that runs
`ugatit-train` with them and kills itself by SIGKILL in its fourth step, after the first update of a network.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from training.cli import main
from training.methods.learner import Learner

KILLED_AT = 4
"""The step of the kill."""


def kill_in_step(number: int) -> None:
    """Make the learner kill its process within a step."""
    steps = itertools.count(1)
    enclose, update = Learner.step, Learner.update
    now = 0

    @contextmanager
    def counted(*args: Any, **options: Any) -> Iterator[None]:
        nonlocal now
        now = next(steps)
        with enclose(*args, **options):
            yield

    def fatal(*args: Any, **options: Any) -> Any:
        terms = update(*args, **options)
        if now == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return terms

    Learner.step, Learner.update = counted, fatal  # type: ignore[method-assign]


def main_loop() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            kill_in_step(KILLED_AT)
            main(json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main_loop()
