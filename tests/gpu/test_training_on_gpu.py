"""Training on an NVIDIA GPU. Skipped without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.training.command import SMALL, data_set, typed

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no GPU on this machine"),
]
CLASSIFIER = ("--set=ugatit.weights.feature=1", "--set=ugatit.weights.nce=2")
FIRST = ("--steps=1", "--precision=float32", "--set=stats_every=1", "--set=tensorboard=false")


def first_losses(data: Path, run: Path, accelerator: str) -> dict[str, float]:
    """Return the losses of a run's first step."""
    flags = (*SMALL, *CLASSIFIER, *FIRST, f"--accelerator={accelerator}")
    code, _, error = typed("fit", "--data", data, "--out", run, *flags)
    assert (code, error) == (0, "")
    line: dict[str, float] = json.loads((run / "stats.jsonl").read_text().splitlines()[0])
    return {name: value for name, value in line.items() if name.startswith(("D_", "G_"))}


def test_first_step_has_the_losses_of_the_cpu_with_terms_through_the_classifier(tmp_path: Path) -> None:
    data = data_set(tmp_path / "data")
    on_cpu, on_gpu = (first_losses(data, tmp_path / each, each) for each in ("cpu", "cuda"))
    assert {"D_feature_A", "G_feature_B", "G_nce_A"} <= on_cpu.keys() == on_gpu.keys()
    for name, value in on_cpu.items():
        # Generators are judged after the discriminators' update; rounding can change the sign of its steps.
        assert on_gpu[name] == pytest.approx(value, rel=0.05, abs=1e-2), name
