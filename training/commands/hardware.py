"""The flags that choose the hardware."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click
import torch

from training.evaluation.errors import EvaluationError
from training.parallel.launch import Devices

accelerator_option: Final = click.option(
    "--accelerator",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="For runs and the extractor; bundles compute on the CPU. auto is cuda where torch finds a GPU.",
)
"""For commands that translate without training."""

_OPTIONS: Final = (
    click.option(
        "--accelerator",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="auto is cuda where torch finds a GPU.",
    ),
    click.option("--devices", type=click.IntRange(min=1), help="Processes on each machine, one per device."),
    click.option(
        "--nodes",
        type=click.IntRange(min=1),
        help="Machines. Under torchrun, leave out --devices and --nodes.",
    ),
)


def hardware_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the flags that choose the hardware; it takes them as `hardware`."""

    @functools.wraps(command)
    def on_hardware(*, accelerator: str, devices: int | None, nodes: int | None, **others: Any) -> None:
        command(hardware=Devices(accelerator=accelerator, devices=devices, nodes=nodes), **others)

    for option in reversed(_OPTIONS):
        on_hardware = option(on_hardware)
    return on_hardware


def choose_device(accelerator: str) -> str:
    """Return the torch device, `cpu` or `cuda`, of `--accelerator`.

    Raises:
        EvaluationError: a GPU is required, and torch finds none.
    """
    available = torch.cuda.is_available()
    if accelerator == "cuda" and not available:
        raise EvaluationError("--accelerator cuda needs a GPU that torch can use, and found none; use cpu.")
    return "cuda" if accelerator != "cpu" and available else "cpu"
