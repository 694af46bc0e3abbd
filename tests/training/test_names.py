"""Paths are shown and kept as they are, whatever bytes and brackets they are made of."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from tests.cli.command import ROOT, environment
from tests.data.making import make_folder
from tests.training.command import SMALL, typed
from training.run.signals import handle_interrupts

STRANGE = os.fsdecode(b"[red]l\xe4uf:smile:")
ASCII_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}


def test_a_run_of_any_name_on_data_of_any_name_is_trained_reported_and_shown(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / os.fsdecode(b"[bold]d\xe9"))
    (folder / "trainA/000.png").rename(folder / os.fsdecode(b"trainA/caf\xe9.png"))
    (folder / "trainB/[gone].png").symlink_to("nowhere.png")
    run = tmp_path / STRANGE
    code, said, error = typed("fit", "--data", folder, "--out", run, *SMALL, "--steps=1", "--accelerator=cpu")
    assert (code, error) == (0, "")
    assert "Left out 1 entry: a link without a target (trainB/[gone].png)." in said
    events = shutil.copytree(run / "tensorboard", tmp_path / "events")  # TensorBoard itself reads UTF-8 only
    assert EventAccumulator(str(events)).Reload().Tags()["scalars"]
    assert Path(json.loads((run / "config.json").read_text())["data"]) == folder
    code, said, _ = typed("resume", run)
    assert code == 0
    assert f"{run} is finished" in said
    code, said, _ = typed("report", run)
    assert code == 0
    assert r"[red]l\xe4uf:smile:/report.html" in said
    assert rb"[red]l\xe4uf:smile:" in (run / "report.html").read_bytes()


def test_a_terminal_of_ascii_shows_names_with_escapes(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "日本 [bold]", {"trainA": 1, "trainB": 1, "testA": 1})
    (folder / os.fsdecode(b"trainA/caf\xe9.ppm")).touch()
    done = subprocess.run(
        [sys.executable, "-m", "training", "data", "check", str(folder)],
        env=environment(**ASCII_LOCALE),
        cwd=ROOT,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert rb"\u65e5\u672c [bold]" in done.stdout
    assert rb"trainA/caf\xe9.ppm: not a picture by its suffix" in done.stdout


def test_sigint_interrupts_a_command_that_a_shell_started_in_the_background() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        handle_interrupts()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
