"""Estimate the evaluations of a run: their number, and the time of one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import torch

from training.config.run_config import RunConfig
from training.plan.step_costs import CostCounter

EXTRACTOR_SECONDS: Final = 0.06
"""Seconds of EfficientNet-Lite0 for one picture. Measured: on one core of a Xeon without AMX."""


def count_evaluations(config: RunConfig, steps: int) -> int:
    """Return the number of evaluations in so many steps: every `evaluate_every` steps, and the last."""
    return math.ceil(steps / config.evaluate_every) if config.evaluate_every else 0


def count_saves(config: RunConfig, steps: int) -> int:
    """Return the number of checkpoints that so many steps write: at intervals, evaluations and the end."""
    intervals = [every for every in (config.save_every, config.evaluate_every) if every]
    at_both = steps // math.lcm(*intervals) if len(intervals) > 1 else 0
    at_end = all(steps % every for every in intervals)
    return sum(steps // every for every in intervals) - at_both + at_end


def evaluation_seconds(
    config: RunConfig, pictures: Mapping[str, int], *, seconds_per_flop: float
) -> float | None:
    """Return the seconds of one evaluation; None without evaluations, or where the pictures are not known.

    Each test picture is translated once, and the extractor computes the features of the translation.

    Args:
        config: the run's.
        pictures: the number in each folder of the data set; empty where it is not known.
        seconds_per_flop: of a training step.
    """
    if not config.evaluate_every or not pictures:
        return None
    return sum(
        pictures[f"test{source}"] * (flops * seconds_per_flop + EXTRACTOR_SECONDS)
        for source, flops in _translation_flops(config).items()
    )


def _translation_flops(config: RunConfig) -> dict[str, int]:
    """Count the FLOPs of one picture's translation by its domain, on tensors without values."""
    with torch.device("meta"), torch.random.fork_rng(devices=[]), torch.no_grad():
        picture = torch.rand(1, 3, config.data.size, config.data.size)
        flops = {}
        for each in config.make_method().translators():
            style = [] if each.style is None else [torch.rand(1, each.style.dimension)]
            with CostCounter() as count:
                each.network(picture, *style)
            flops[each.source] = int(count.flops)
    return flops
