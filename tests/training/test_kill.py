"""kill -9 in the middle of a step: the resumed run of every method ends in the same state, bit for bit.

The settings are the smallest that have image pools which are full, phases that change after the last
checkpoint, noise, drawn styles and content-only steps.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.cli.command import ROOT
from tests.training.command import data_set, typed
from tests.training.test_cartoongan import narrow_vgg
from training.checkpoint.content import digest
from training.checkpoint.read import load_newest

STEPS: Final = 6
COMMON: Final = (
    "--preset=common", f"--steps={STEPS}", "--save-every=2", "--channels=2", "--batch=1",
    "--set=tensorboard=false", "--set=data.resize_margin=4",
)  # fmt: skip
CASES: Final = {
    "ugatit": (
        "--size=32", "--set=ugatit.generator.blocks=1",
        "--set=ugatit.global_discriminator.layers=4", "--set=ugatit.local_discriminator.layers=3",
    ),
    "cyclegan": (
        "--size=16", "--set=cyclegan.discriminator.layers=2", "--set=cyclegan.generator.blocks=1",
        "--set=cyclegan.pool=1",
    ),
    "unit": ("--size=16", "--set=unit.discriminator.layers=2", "--set=unit.generator.blocks=1"),
    "munit": ("--size=16", "--set=munit.discriminator.layers=2", "--set=munit.generator.blocks=1"),
    "drit concat": ("--size=44", "--set=drit.networks.mode=concat", "--set=drit.content_only_steps=1"),
    "drit": ("--size=44", "--set=drit.networks.mode=feature-wise", "--set=drit.content_only_steps=1"),
    "aggan": (
        "--size=16", "--set=aggan.generator.blocks=1", "--set=aggan.pool=1", "--set=aggan.switch_share=0.5",
    ),
    "cartoongan": (
        "--size=16", "--set=cartoongan.generator.blocks=1", "--set=cartoongan.pool=1",
        "--set=cartoongan.initial_share=0.5", "--set=cartoongan.vgg_input=unit", "--vgg-weights=vgg.pth",
    ),
}  # fmt: skip

Kill = Callable[[list[str]], int]


@pytest.fixture(scope="module")
def killed() -> Iterator[Kill]:
    """Return a function that trains in a process which is killed in a step; it returns the exit code."""
    command = [sys.executable, "-m", "tests.training.killed_trainer"]
    single = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, env=single, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as trainer:
        assert trainer.stdin is not None
        assert trainer.stdout is not None
        asks, answers = trainer.stdin, trainer.stdout

        def train(arguments: list[str]) -> int:
            asks.write(json.dumps(arguments) + "\n")
            asks.flush()
            return int(answers.readline())

        yield train
        asks.close()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    narrow_vgg(folder / "vgg.pth")
    return data_set(folder / "pictures")


@pytest.mark.parametrize("case", CASES)
def test_run_that_was_killed_in_a_step_ends_in_the_same_state(
    case: str, data: Path, killed: Kill, tmp_path: Path
) -> None:
    flags = [flag.replace("vgg.pth", str(data.parent / "vgg.pth")) for flag in CASES[case]]
    given = ["fit", "--method", case.split()[0], "--data", str(data), *COMMON, *flags, "--out"]
    whole, resumed = tmp_path / "whole", tmp_path / "resumed"
    code, _, error = typed(*given, whole)
    assert code == 0, error
    assert killed([*given, str(resumed)]) == -signal.SIGKILL
    assert load_newest(resumed / "checkpoints")[0].step == 2
    code, _, error = typed("resume", resumed)
    assert code == 0, error
    expected, found = (load_newest(run / "checkpoints")[0] for run in (whole, resumed))
    assert found.step == expected.step == STEPS
    assert digest(found) == digest(expected)
