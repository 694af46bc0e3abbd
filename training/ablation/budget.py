"""Decide how many steps every variant of an ablation can have."""

from __future__ import annotations

import math
from typing import Final

from models.networks.config import ConfigError
from training.ablation.folder import Options, Plan
from training.ablation.variants import Variant, config_of, list_variants
from training.config.run_config import changed
from training.plan.machine_speed import measure_steps

TURNS: Final = 5
"""Turns of a variant, unless --save-every chooses their length. A turn ends with a checkpoint and costs some
seconds to begin; after each turn all variants have as many steps."""


def make_plan(options: Options, *, turn: int | None, device: str = "cpu") -> Plan:
    """Measure a few steps of each variant, and return the plan of the ablation.

    Args:
        options: the user's.
        turn: the steps of a turn; None divides the steps into `TURNS`.
        device: where the variants are trained.

    Raises:
        ConfigError: the config contradicts a variant, or the minutes are too few for one step.
    """
    variants = list_variants(options.config.seed, seeds=options.seeds)
    configs = {each.name: config_of(each, options.config) for each in variants}
    seconds = {name: measure_steps(config, device=device).step_seconds for name, config in configs.items()}
    steps = options.steps or _steps_within(options.minutes or 0, variants, seconds)
    changes = {"steps": steps, "save_every": turn or math.ceil(steps / TURNS)}
    return Plan(options=options, config=changed(options.config, changes), step_seconds=seconds)


def _steps_within(minutes: float, variants: list[Variant], seconds: dict[str, float]) -> int:
    """Return the steps that every variant can have if all are as slow as the slowest."""
    slowest = max(seconds, key=lambda name: seconds[name])
    steps = int(minutes * 60 / (seconds[slowest] * len(variants)))
    if steps < 1:
        least = math.ceil(seconds[slowest] * len(variants) / 60)
        raise ConfigError(
            f"--minutes must be at least {least} for one step of each of {len(variants)} runs (a step of "
            f"{slowest} takes {seconds[slowest]:.2g} s), got {minutes:g}; give more minutes, or smaller "
            "networks with --size and --channels."
        )
    return steps
