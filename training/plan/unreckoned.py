"""What a plan leaves out, in words."""

from __future__ import annotations

import torch

from training.config import RunConfig
from training.parallel.launch import Devices
from training.speed import choose


def unreckoned(config: RunConfig, hardware: Devices, *, real_steps: bool) -> list[str]:
    """A sentence for each thing that the figures do not hold.

    Args:
        config: what is to be done.
        hardware: on what.
        real_steps: they were done here, as they would be in the run.
    """
    on_gpu = _on_gpu(hardware)
    speed = choose(config.speed)
    sentences = []
    if on_gpu:
        sentences.append("The time is this CPU's; how fast a GPU is, its first steps tell.")
    if processes(hardware) > 1:
        sentences.append("Memory and time are of each process; how long they wait for each other is not in.")
    if speed.bfloat16 or (on_gpu and config.speed.precision == "auto"):
        sentences.append("Activations are reckoned in float32; in bfloat16 they take less.")
    if speed.quick and not on_gpu and not real_steps:
        sentences.append("The time is of direct convolutions; fit's are quick, whose time --measure tells.")
    return sentences


def processes(hardware: Devices) -> int:
    """How many there are to be."""
    return (hardware.devices or 1) * (hardware.nodes or 1)


def _on_gpu(hardware: Devices) -> bool:
    wanted = hardware.accelerator
    return wanted == "cuda" or (wanted == "auto" and torch.cuda.is_available())
