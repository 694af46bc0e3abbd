"""The plan of a run: its parameters, memory, time and disk, estimated before it starts."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch

from training.config.compute_settings import ComputeSettings, choose_settings
from training.config.run_config import RunConfig, default_config, merged
from training.data.augment import resized_side
from training.data.errors import DataError
from training.data.folder import DOMAINS, find_pictures, missing_pictures
from training.methods.registry import DEFAULT, find_kind
from training.plan.evaluations import count_evaluations, count_saves, evaluation_seconds
from training.plan.machine import cores, free_memory_bytes
from training.plan.machine_speed import (
    OVERHEAD,
    MeasuredSteps,
    block_flops_per_second,
    measure_steps,
    peak_bytes,
    single_thread,
)
from training.plan.step_costs import StepCosts, step_costs

BFLOAT16_SHARE: Final = 0.8
"""Bytes of activations in bfloat16 over those in float32. Many results of normalisations and losses stay
in float32. Measured: 0.79 with 64 channels at 256 px and 0.88 with 32 at 128 px, on a CPU."""
_FEW_VALUES: Final = 1 << 16
"""Values of the largest map up to which a real step is faster than one on tensors without values."""
_SHEETS: Final = 4
_ROWS: Final = 4
_COLUMNS: Final = 10
_SHEET_BYTES_A_PIXEL: Final = 0.45
"""Of a sample sheet as JPEG, approximately."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The costs of a run. Parameters and checkpoints are exact; memory, time and samples are estimates."""

    config: RunConfig
    processes: int
    """Processes that share a step. Memory is that of each."""
    local_processes: int
    """Processes on this machine."""
    speed: ComputeSettings
    """The compute settings of a step."""
    free_memory_bytes: int | None
    """Free memory of this machine, container or GPU before the run; None where it is not known."""
    costs: StepCosts
    """Costs of a step in the precision of `speed`."""
    pictures: dict[str, int]
    """Pictures in each folder of the data set; empty without a data set."""
    libraries_bytes: int
    """Memory of the process before it has any network."""
    cache_bytes: int
    """Memory of cached decoded pictures, at most."""
    step_seconds: float
    """Seconds of a step on this CPU, whose cores its processes share."""
    measured: MeasuredSteps | None
    """The measured real steps; None where the time is estimated from the FLOPs."""
    checkpoint_bytes: int
    evaluation_seconds: float | None
    """Seconds of one evaluation; None without evaluations, or without a data set."""

    @property
    def memory_bytes(self) -> int:
        return self.costs.total_bytes + self.libraries_bytes + self.cache_bytes

    @property
    def needed_bytes(self) -> int:
        """Return the memory that must be free after loading the libraries: per GPU, or on the CPU for all."""
        if self.speed.device_type == "cuda":
            return self.costs.total_bytes
        return self.local_processes * (self.costs.total_bytes + self.cache_bytes)

    @property
    def seconds(self) -> float:
        """Return the seconds of all steps, without saving and evaluations."""
        return self.step_seconds * self.config.steps

    @property
    def checkpoints_bytes(self) -> int:
        """Return the bytes of the newest checkpoints, the best, and the one being written."""
        return self.checkpoint_bytes * (self.config.keep_last + 2)

    @property
    def samples_bytes(self) -> int:
        return self.samples_bytes_of(self.config.steps)

    def samples_bytes_of(self, steps: int) -> int:
        """Return the bytes of the sample sheets of so many steps."""
        pixels = _ROWS * _COLUMNS * self.config.data.size**2
        written = count_saves(self.config, steps) * _SHEETS
        return round(written * pixels * _SHEET_BYTES_A_PIXEL * (2 if self.config.tensorboard else 1))

    def to_mapping(self) -> dict[str, Any]:
        """Return the plan for scripts: bytes, seconds, counts."""
        return {
            "processes": self.processes,
            "pictures_per_step": self.config.pictures(self.processes) // 2,
            "precision": self.speed.facts()["precision"],
            "free_memory_bytes": self.free_memory_bytes,
            "config": dataclasses.asdict(self.config),
            "parameters": self.costs.parameters,
            "memory_bytes": {
                **{f.removesuffix("_bytes"): getattr(self.costs, f) for f in self.costs._fields[1:-1]},
                "cached pictures": self.cache_bytes,
                "libraries": self.libraries_bytes,
                "total": self.memory_bytes,
            },
            "flops": self.costs.flops,
            "step_seconds": self.step_seconds,
            "step_measured": self.measured is not None,
            "measured_peak_bytes": self.measured.peak_bytes if self.measured is not None else None,
            "seconds": self.seconds,
            "evaluations": count_evaluations(self.config, self.config.steps),
            "evaluation_seconds": self.evaluation_seconds,
            "disk_bytes": {
                "checkpoint": self.checkpoint_bytes,
                "checkpoints": self.checkpoints_bytes,
                "samples": self.samples_bytes,
            },
            "pictures": self.pictures,
        }


def make_plan(
    config: RunConfig,
    pictures: Mapping[str, int],
    *,
    real_steps: bool = False,
    device_type: str = "cpu",
    processes: int = 1,
    local_processes: int = 1,
) -> Plan:
    """Return the plan of a run. The random numbers of the run do not change.

    Args:
        config: the run's.
        pictures: the number in each folder of the data set; empty where it is not known.
        real_steps: measure the time of real steps instead of estimating it.
        device_type: where the run computes, `cpu` or `cuda`.
        processes: the number that share a step.
        local_processes: the number on this machine.
    """
    free, libraries = free_memory_bytes(device_type), _resident_bytes()
    speed = choose_settings(config.speed, device_type)
    with single_thread():
        costs = step_costs(config, device="cpu" if _is_tiny(config) else "meta")
    if speed.bfloat16:
        costs = costs._replace(activations_bytes=round(BFLOAT16_SHARE * costs.activations_bytes))
    measured = measure_steps(config) if real_steps else None
    alone = measured.step_seconds if measured else OVERHEAD * costs.flops / block_flops_per_second(config)
    return Plan(
        config=config,
        processes=processes,
        local_processes=local_processes,
        speed=speed,
        free_memory_bytes=free,
        costs=costs,
        pictures=dict(pictures),
        libraries_bytes=libraries,
        cache_bytes=_cached(config, pictures),
        step_seconds=alone * max(1.0, local_processes * torch.get_num_threads() / cores()),
        measured=measured,
        checkpoint_bytes=costs.weights_bytes
        + costs.average_bytes
        + costs.optimizer_bytes
        + config.kind.extra_bytes(config.method_config, config.data.size),
        evaluation_seconds=evaluation_seconds(config, pictures, seconds_per_flop=alone / costs.flops),
    )


def _is_tiny(config: RunConfig) -> bool:
    channels = config.method_config.base_channels
    return channels * config.pictures_each * config.data.size**2 <= _FEW_VALUES


def fit_networks(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the values with networks that fit the pictures, and remarks on changes."""
    kind = find_kind(values.get("method", DEFAULT))
    whole = merged(dataclasses.asdict(default_config(kind.name)), values)
    size = whole["data"]["size"]
    if not isinstance(size, int):
        return dict(values), []  # refused later, with a sentence
    changes, remarks = kind.fitted(whole[kind.name], size)
    return merged(values, {kind.name: changes} if changes else {}), list(remarks)


def count_pictures(data: Path) -> dict[str, int]:
    """Return the number of pictures in each folder of a data set, without opening them.

    Raises:
        DataError: the data set does not exist, or one of its folders is empty.
    """
    found = find_pictures(data)
    for sentence in missing_pictures(data, found):
        raise DataError(sentence)
    return {name: len(walked.pictures) for name, walked in found.items()}


def _cached(config: RunConfig, pictures: Mapping[str, int]) -> int:
    each = {domain: 3 * resized_side(config.data, config.seed, domain) ** 2 for domain in DOMAINS}
    whole = sum(each[domain] * pictures.get(f"train{domain}", 0) for domain in DOMAINS)
    return min(config.data.cache_bytes, whole)


def _resident_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return peak_bytes()
    return pages * os.sysconf("SC_PAGE_SIZE")
