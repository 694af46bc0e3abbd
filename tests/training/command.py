"""Run `ugatit-train` on a small data set drawn by code."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
from PIL import Image

from models.bundle.canary import smooth_picture
from tests.cli.command import ROOT, environment, signals_delivered
from training.cli import main

SMALL = (
    "--preset=cpu-demo",
    "--size=32",
    "--channels=4",
    "--batch=2",
    "--save-every=20",
    "--set=ugatit.generator.blocks=1",
    "--set=ugatit.global_discriminator.layers=4",
    "--set=ugatit.local_discriminator.layers=3",
    "--set=data.resize_margin=4",
    # Without random augmentation and without the classifier; single tests turn them on.
    "--set=ugatit.weights.feature=0",
    "--set=ugatit.weights.nce=0",
    *(
        f"--set=ugatit.discriminator_augmentation.{name}=0"
        for name in ("brightness", "saturation", "contrast", "shift")
    ),
)


def data_set(folder: Path) -> Path:
    """trainA and testA smooth, trainB and testB in two colours: easy to tell apart."""
    for part, count in (("trainA", 5), ("trainB", 4), ("testA", 2), ("testB", 2)):
        (folder / part).mkdir(parents=True)
        for number in range(count):
            picture = smooth_picture(40, 40, seed=number + 10 * len(part))
            if part.endswith("B"):
                picture = np.where(picture > 127, 230, 20).astype(np.uint8)
            Image.fromarray(picture).save(folder / part / f"{number}.png")
    return folder


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """A process whose end is not waited for."""
    command = [sys.executable, "-m", "training", *map(str, arguments)]
    with signals_delivered():
        return subprocess.Popen(
            command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def typed(*arguments: str | Path) -> tuple[int, str, str]:
    """As `train`, but in this process, which has everything imported: seconds less."""
    out, error = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(error):
        try:
            main(list(map(str, arguments)))
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
    return code, out.getvalue(), error.getvalue()


def train(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    process = start(*arguments)
    out, error = process.communicate(timeout=300)
    return process.returncode, out, error


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    """Until something is there, or the process has ended."""
    while not path.exists():
        try:
            process.wait(timeout=0.05)
        except subprocess.TimeoutExpired:
            continue
        return
