"""The flags of what to compute on, shared by the commands that train."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import click

from training.parallel.launch import Devices

_OPTIONS: Final = (
    click.option(
        "--accelerator",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="auto is cuda where there is one.",
    ),
    click.option("--devices", type=click.IntRange(min=1), help="Processes on each machine, one a device."),
    click.option("--nodes", type=click.IntRange(min=1), help="Machines.  Neither is needed under torchrun."),
)


def hardware_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the flags of what to compute on; it takes them as `hardware`."""

    @functools.wraps(command)
    def on_hardware(*, accelerator: str, devices: int | None, nodes: int | None, **others: Any) -> None:
        command(hardware=Devices(accelerator=accelerator, devices=devices, nodes=nodes), **others)

    for option in reversed(_OPTIONS):
        on_hardware = option(on_hardware)
    return on_hardware
