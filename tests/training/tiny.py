"""A tiny config and pictures, for tests without a process or a data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.config.run_config import RunConfig, from_mapping, load_preset, merged
from training.run_folder.folder import RunFolder

SIZE = 32


def tiny_config(**changes: Any) -> RunConfig:
    network = {"channels": 4}
    small = {
        "steps": 4,
        "batch": 2,
        "data": {"size": SIZE, "resize_margin": 4},
        "ugatit": {
            "generator": {"size": SIZE, "channels": 4, "blocks": 1},
            "global_discriminator": {**network, "layers": 4},
            "local_discriminator": {**network, "layers": 3},
            "weights": {"feature": 0, "nce": 0},
            "discriminator_augmentation": dict.fromkeys(("brightness", "saturation", "contrast", "shift"), 0),
        },
    }
    return from_mapping(merged(merged(load_preset("cpu-demo"), small), changes))


def pictures(count: int = 2, *, seed: int = 1) -> dict[str, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return {domain: torch.rand(count, 3, SIZE, SIZE, generator=random) * 2 - 1 for domain in "AB"}


def empty_run(folder: Path) -> RunFolder:
    run = RunFolder(folder)
    run.samples.mkdir(parents=True)
    return run
