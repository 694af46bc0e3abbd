"""The fuzzing targets find no error in the given number of runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import ROOT
from tests.fuzz.amounts import amount

pytest.importorskip("atheris", reason="its wheels are for Linux on x86-64")


@pytest.mark.parametrize(
    ("target", "runs"),
    [("decoding", amount("DECODE_RUNS", 20_000)), ("manifests", amount("MANIFEST_RUNS", 5_000))],
)
def test_fuzzing_target_finds_no_error(target: str, runs: int, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-m", f"tests.fuzz.{target}"]
    options = [f"-runs={runs}", f"-seed={1 + amount('SEED', 0)}", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    found = [path.read_bytes() for path in tmp_path.iterdir()]
    assert done.returncode == 0, f"{found}\n{done.stdout[-5000:]}"
    assert f"Done {runs} runs" in done.stdout
    print(f"{target}: {runs:,} runs from seed {options[1].partition('=')[2]}")
