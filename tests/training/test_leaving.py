"""Terminals that close, disks that fill up, and two who want the same run."""

from __future__ import annotations

import errno
import hashlib
import os
import pty
import resource
import signal
import subprocess
import sys
from pathlib import Path
from queue import Queue
from threading import Timer, main_thread

import pytest
from rich.console import Console

from tests.cli.command import ROOT, environment
from tests.training.command import SMALL, data_set, start, wait_for
from training.checkpoint.keep import keep
from training.checkpoint.read import load_newest
from training.config.run_config import from_mapping
from training.parallel.processes import SingleProcess
from training.run.fit import resume_run
from training.run.signals import stop_on_signals
from training.run_folder.folder import RunError, RunFolder
from training.run_folder.lock import locked

QUIET = ("--set=stats_every=2", "--set=tensorboard=false")
ENDLESS = (*SMALL, "--steps=1000000", "--save-every=1000000", *QUIET)

IN_A_TERMINAL = """
import fcntl, os, signal, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.execv(sys.executable, [sys.executable, "-m", "training", *sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return data_set(tmp_path_factory.mktemp("pictures"))


def test_a_closed_terminal_saves_and_exits_cleanly(pictures: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", IN_A_TERMINAL, "fit", "--data", pictures, "--out", run, *ENDLESS]
    process = subprocess.Popen(
        command, env=environment(), cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    while process.poll() is None and not (run / "stats.jsonl").exists():
        os.read(ours, 4096)  # the progress bar
    os.close(ours)
    assert process.wait(timeout=300) == 0
    assert load_newest(run / "checkpoints")[0].step >= 2


def test_a_full_disk_is_one_sentence_and_keeps_the_checkpoints(pictures: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start("fit", "--data", pictures, "--out", run, *ENDLESS, "--save-every=2")
    first = run / "checkpoints" / "00000002"
    wait_for(first, process)
    largest = max(path.stat().st_size for path in first.iterdir())
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (largest - 1, largest - 1))
    _, error = process.communicate(timeout=300)
    assert process.returncode == 2
    assert f"({os.strerror(errno.EFBIG)}; " in error
    assert "is still there): free some space there, then resume." in error
    assert error.count("\n") == 1
    assert load_newest(run / "checkpoints")[1] == []
    assert not [path for path in (run / "checkpoints").iterdir() if path.name.startswith(".")]
    assert keep(run / "checkpoints", last=3) == []


def test_a_full_disk_under_any_other_file_is_one_sentence(tmp_path: Path) -> None:
    said = r"No space left on device\); its checkpoints are complete"
    with pytest.raises(RunError, match=said), RunFolder(tmp_path).writing():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def a_run(folder: Path) -> RunFolder:
    folder.mkdir()
    (folder / "config.json").write_text(
        '{"data": "nowhere", "fingerprint": "", "config": ' + from_mapping({}).to_json() + "}"
    )
    return RunFolder(folder)


def test_two_processes_cannot_resume_the_same_run(tmp_path: Path) -> None:
    run = a_run(tmp_path / "run")
    with (
        locked(run.path),
        pytest.raises(RunError, match=rf"run is in use by process {os.getpid()} on \S+; wait until that"),
    ):
        resume_run(run, {}, SingleProcess(), Console(quiet=True))


def test_two_processes_cannot_start_in_the_same_folder(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    run.make()
    with locked(run.path):
        run.make()
        with pytest.raises(RunError, match=f"in use by process {os.getpid()}"), locked(run.path):
            pass


def test_a_lock_of_a_killed_process_does_not_block(tmp_path: Path) -> None:
    hold = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX); "
        "print('process 1 on nowhere', file=file, flush=True); print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", hold, tmp_path / ".lock"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="in use by process 1 on nowhere"), locked(tmp_path):
            pass
        process.kill()
    with locked(tmp_path):
        pass


IN_THE_BACKGROUND = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execv(sys.executable, [sys.executable, "-m", "training", *sys.argv[1:]])
"""


def test_a_background_run_reports_sigint_and_stops(pictures: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-c", IN_THE_BACKGROUND, "fit", "--data", pictures, "--out", run, *ENDLESS]
    process = subprocess.Popen(command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    wait_for(run / "stats.jsonl", process)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert out.index("Stopping after this step.") < out.index("Stopped at step")
    assert load_newest(run / "checkpoints")[0].step >= 2


def said_before_the_handler_ran() -> bool:
    """Interrupt a long computation in C; whether the answer came before Python's handler could run."""
    answered: Queue[bool] = Queue()
    with stop_on_signals(say=lambda _: answered.put(not stop.requested)) as stop:
        Timer(0.02, signal.pthread_kill, (main_thread().ident, signal.SIGINT)).start()
        hashlib.pbkdf2_hmac("sha256", b"", b"", 200_000)
        first = answered.get(timeout=60)
    assert stop.requested
    return first


def test_a_stop_is_reported_during_a_long_computation() -> None:
    # The signal may come before the computation begins; one attempt of many is enough.
    assert any(said_before_the_handler_ran() for _ in range(50))


def test_a_second_sigint_interrupts_as_usual() -> None:
    with stop_on_signals() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler
