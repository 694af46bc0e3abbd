"""Remarks on a plan: what it does not estimate, and how several processes change a run."""

from __future__ import annotations

import torch

from training.parallel.launch import Devices
from training.plan.plan import BFLOAT16_SHARE, Plan


def plan_remarks(plan: Plan, hardware: Devices) -> list[str]:
    """Return the sentences to print below a plan's figures."""
    sentences = []
    if device_type(hardware) == "cuda":
        sentences.append("GPU speed is not estimated: the time is that of this CPU.")
    if plan.processes > 1:
        sentences += _several(plan)
    if plan.speed.bfloat16:
        sentences.append(
            f"Activations in bfloat16 are estimated as {BFLOAT16_SHARE:.0%} of those in float32."
        )
    return sentences


def _several(plan: Plan) -> list[str]:
    config, count = plan.config, plan.processes
    together = config.pictures(count) // 2
    as_one = f"--batch {config.batch * count}"
    if config.accumulate > 1:
        as_one += f" --accumulate {config.accumulate}"
    fewer = max(1, round(config.steps / count))
    return [
        f"Each of {count} processes takes --batch {config.batch} in each of {config.accumulate} passes, so "
        f"a step learns from {together} pictures of each domain. Gradients are averaged: a step equals one "
        f"of a single process with {as_one}.",
        f"Steps and learning rate do not change with the number of processes: {config.steps:,} steps see "
        f"{count} times the pictures that one process would see. For as many pictures as one process, use "
        f"--steps {fewer}; the learning rate {config.method_config.learning_rate:g} then makes {count} times "
        f"fewer updates, and a higher --set {config.method}.learning_rate may be needed.",
        "Time does not include how long processes wait for each other.",
    ]


def device_type(hardware: Devices) -> str:
    """Return the device type of a run: `cuda` where it is allowed and torch finds a GPU, else `cpu`."""
    return "cuda" if hardware.accelerator != "cpu" and torch.cuda.is_available() else "cpu"


def processes(hardware: Devices) -> tuple[int, int]:
    """Return the number of all processes, and of those on each machine."""
    local = hardware.devices or 1
    return local * (hardware.nodes or 1), local
