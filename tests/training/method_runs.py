"""Short runs of a method, to compare a resumed one with one that was never stopped."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.training.command import typed
from training.checkpoint.content import digest
from training.checkpoint.read import load, load_newest

FLAGS = ("--size=32", "--channels=4", "--set=tensorboard=false", "--set=data.resize_margin=4")


def fit(method: str, data: Path, run: Path, *flags: str, steps: int) -> None:
    """Train with a checkpoint every second step."""
    code, _, error = typed(
        *("fit", "--method", method, "--data", data, "--out", run),
        *(*FLAGS, f"--steps={steps}", "--save-every=2", "--set=keep_last=100", *flags),
    )
    assert code == 0, error


def assert_resumes_bit_for_bit(method: str, data: Path, folder: Path, *flags: str, steps: int = 6) -> None:
    """Fail unless a run that loses its last steps ends with the same state after a resume."""
    whole = folder / "whole"
    fit(method, data, whole, *flags, steps=steps)
    resumed = folder / "resumed"
    shutil.copytree(whole, resumed)
    checkpoints = sorted((resumed / "checkpoints").glob("*"))
    for newer in checkpoints[1:]:
        shutil.rmtree(newer)
    assert load(checkpoints[0]).step == 2
    code, _, error = typed("resume", resumed)
    assert code == 0, error
    expected, found = (load_newest(run / "checkpoints")[0] for run in (whole, resumed))
    assert found.step == expected.step == steps
    assert digest(found) == digest(expected)
