"""Make small checkpoints whose values are computed from the step."""

from __future__ import annotations

from pathlib import Path

import torch

from training.checkpoint.content import Checkpoint, digest
from training.checkpoint.write import save


def checkpoint(step: int, *, values: int = 64) -> Checkpoint:
    generator = torch.Generator().manual_seed(step)
    tensors = {
        "networks": {
            "genA2B/encoder.weight": torch.randn(values, 4, generator=generator),
            "genA2B/rho": torch.rand((), generator=generator),
            "disGA/half": torch.randn(values, generator=generator).bfloat16(),
        },
        "optimizers": {"generators/state.0.exp_avg": torch.randn(values, 4, generator=generator)},
        "random": {"torch": generator.get_state()},
    }
    return Checkpoint(step, tensors, {"config": {"lr": 1e-4, "size": 128}, "third": step / 3, "none": None})


def write(directory: Path, *steps: int, scores: dict[int, float] | None = None) -> None:
    for step in steps:
        save(directory, checkpoint(step), score=(scores or {}).get(step))


def is_whole(found: Checkpoint, step: int, *, values: int = 64) -> bool:
    """Return whether a checkpoint is bit for bit the one of this step."""
    return digest(found) == digest(checkpoint(step, values=values))


def names(directory: Path) -> list[str]:
    """Return all names in a directory, hidden ones too."""
    return sorted(path.name for path in directory.iterdir())
