"""Pictures of one colour, on which the generators' gradients overflow."""

from __future__ import annotations

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from tests.training.tiny import SIZE, pictures
from training.config.compute_settings import choose_settings
from training.config.run_config import RunConfig
from training.methods.ugatit.method import Ugatit

WHITE = 1.0
GREY = 128 / 127.5 - 1
"""Its gradients are too large for Adam, but finite."""


def with_flat(domain: str, level: float = WHITE) -> dict[str, Tensor]:
    """A batch of one picture of each domain, of which one is flat."""
    return {**pictures(1), domain: torch.full((1, 3, SIZE, SIZE), level)}


def state_of(method: Ugatit, networks: str) -> dict[str, Tensor]:
    """Copies of the weights, buffers and Adam's moments of the `generators` or the `discriminators`."""
    chosen = method.generators if networks == "generators" else method.discriminators
    state = {
        f"{name}.{key}": value
        for name, network in chosen.items()
        for key, value in network.state_dict().items()
    }
    for index, entry in method.optimizers[networks].state_dict()["state"].items():
        state |= {f"adam.{index}.{key}": value for key, value in entry.items()}
    return {name: value.clone() for name, value in state.items()}


def flatten(folder: Path, *names: str) -> None:
    """Replace pictures of a data set by white ones, or add them."""
    for name in names:
        Image.new("RGB", (40, 40), "white").save(folder / name)


def made(config: RunConfig) -> Ugatit:
    torch.manual_seed(0)
    return Ugatit(config.ugatit, speed=choose_settings(config.speed))
