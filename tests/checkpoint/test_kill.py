"""kill -9 at any moment: no damaged checkpoint is accepted, and no reported one is lost."""

from __future__ import annotations

import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkpoint import making
from tests.checkpoint.saver import LAST, VALUES
from training.checkpoint.best import find_best
from training.checkpoint.read import load_newest, verify
from training.checkpoint.write import save

ROOT = Path(__file__).parents[2]


class Saver:
    """Controls the process that saves."""

    def __init__(self) -> None:
        single = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "tests.checkpoint.saver"]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=single, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.heard = ""

    def start(self, directory: Path, first: int, *, calls: int = 0) -> int:
        """Start a child that saves, and return its process id."""
        assert self.process.stdin is not None
        self.heard = ""
        self.process.stdin.write(f"{directory} {first} {calls}\n".encode())
        self.listen_for("child")
        return int(self.words("child")[0])

    def listen_for(self, word: str, *, count: int = 1) -> None:
        while len(self.words(word)) < count:
            assert not self.words("over"), "the child that saves ended by itself"
            self.hear()

    def listen_until(self, moment: float) -> None:
        """Read the child's output until a moment of `time.perf_counter`."""
        assert self.process.stdout is not None
        while (left := moment - time.perf_counter()) > 0:
            if select.select([self.process.stdout], [], [], left)[0]:
                self.hear()

    def hear(self) -> None:
        assert self.process.stdout is not None
        words = os.read(self.process.stdout.fileno(), 65_536)
        assert words, "the process that saves has ended"
        self.heard += words.decode()

    def words(self, word: str) -> list[str]:
        return re.findall(rf"^{word} ?(\d*)\n", self.heard, re.MULTILINE)

    @property
    def acknowledged(self) -> list[int]:
        return [int(step) for step in self.words("saved")]

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def saver() -> Iterator[Saver]:
    process = Saver()
    yield process
    process.close()


def assert_nothing_is_lost(directory: Path, acknowledged: list[int]) -> int:
    """Return the newest step, after checking that it is complete and every reported step is there."""
    found, skipped = load_newest(directory)
    assert skipped == []
    assert making.is_whole(found, found.step, values=VALUES)
    assert found.step in (acknowledged[-1], acknowledged[-1] + 1)
    folders = [path for path in directory.iterdir() if not path.name.startswith(".")]
    steps = sorted(verify(path).step for path in folders)
    assert set(acknowledged[-LAST:]) <= set(steps)
    best = find_best(directory)
    assert best is not None
    assert verify(best).score == min(-step % 5 for step in (*acknowledged, found.step))
    return found.step


def test_kill_at_thirty_random_moments_loses_nothing(saver: Saver, tmp_path: Path) -> None:
    directory, dice = tmp_path / "checkpoints", random.Random(0)
    acknowledged: list[int] = []
    step = 0
    for _ in range(30):
        child = saver.start(directory, step + 1)
        saver.listen_for("saved", count=dice.randrange(1, 4))
        saver.listen_until(time.perf_counter() + dice.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        saver.listen_for("over")
        acknowledged += saver.acknowledged
        step = assert_nothing_is_lost(directory, acknowledged)
        acknowledged += [step] if step != acknowledged[-1] else []
    making.write(directory, step + 1)
    assert not [name for name in making.names(directory) if name.startswith(".")]


def test_kill_at_each_disk_call_loses_nothing(saver: Saver, tmp_path: Path) -> None:
    for step in (1, 2):
        save(tmp_path / "before", making.checkpoint(step, values=VALUES), score=float(-step % 5))
    calls = 0
    # Until the second reported step: by then the child has saved, deleted and saved again.
    while calls == 0 or len(saver.acknowledged) < 2:
        calls += 1
        directory = tmp_path / str(calls) / "checkpoints"
        shutil.copytree(tmp_path / "before", directory)
        saver.start(directory, 3, calls=calls)
        saver.listen_for("over")
        assert_nothing_is_lost(directory, [1, 2, *saver.acknowledged])
    assert calls > 50
