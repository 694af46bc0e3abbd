"""A trained run with two checkpoints, bundles and test pictures for a gallery."""

from __future__ import annotations

from pathlib import Path

from tests.training.command import SMALL, data_set, typed


def train_run(folder: Path) -> Path:
    """Return a run of four steps, with checkpoints of steps 2 and 4."""
    run, pictures = folder / "run", data_set(folder / "data")
    small = [flag for flag in SMALL if not flag.startswith("--save-every")]
    code, _, error = typed("fit", "--data", pictures, "--out", run, "--steps=4", "--save-every=2", *small)
    assert code == 0, error
    return run
