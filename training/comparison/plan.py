"""The plan of a comparison: the config of each method's run, all with the same number of steps."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.networks.config import ConfigError
from training.ablation.budget import TURNS
from training.ablation.folder import RunsFolder
from training.ablation.variants import Variant
from training.config.run_config import RunConfig, changed, differences, from_mapping
from training.plan.machine_speed import measure_steps
from training.run_folder.folder import RunError

PLAN: Final = "comparison.json"


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the user chose; a second call must choose the same."""

    minutes: float | None
    """Minutes for the training of all methods together; None with `steps`."""
    steps: int | None
    """Steps of each method; None with `minutes`."""
    profile: str
    """The preset of every method."""
    configs: Mapping[str, RunConfig]
    """By method; their numbers of steps have no meaning."""

    def to_mapping(self) -> dict[str, Any]:
        """Return the options as JSON values."""
        configs = {name: json.loads(config.to_json()) for name, config in self.configs.items()}
        return {"minutes": self.minutes, "steps": self.steps, "profile": self.profile, "configs": configs}


@dataclass(frozen=True, kw_only=True)
class ComparisonPlan:
    """What a comparison trains, decided once at its start."""

    options: Options
    configs: Mapping[str, RunConfig]
    """By method, with the steps of every run, and a checkpoint at the end of every turn."""
    step_seconds: Mapping[str, float]
    """The measured seconds of a step, by method."""
    remarks: tuple[str, ...] = ()
    """What was changed to fit the pictures."""

    @property
    def all_remarks(self) -> list[str]:
        """What was changed to fit the pictures, and what a method does without."""
        lacks = [each for config in self.configs.values() for each in config.kind.lacks(config.method_config)]
        return [*self.remarks, *lacks]

    @property
    def config(self) -> RunConfig:
        """The config of the first method; steps and turns of all are equal."""
        return next(iter(self.configs.values()))

    @property
    def variants(self) -> list[Variant]:
        """The methods in the order of their turns."""
        return [Variant(name, name, config.seed) for name, config in self.configs.items()]

    def config_of(self, variant: Variant) -> RunConfig:
        """Return the config of a method's run."""
        return self.configs[variant.name]

    def title(self, variant: Variant) -> str:
        """Return the name of a method for people, without its paper."""
        return self.config_of(variant).kind.title.partition(" (")[0]


class ComparisonFolder(RunsFolder):
    """The folder of a comparison and the paths in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, plan=PLAN)
        self.bundles = path / "bundles"

    def write_plan(self, plan: ComparisonPlan) -> None:
        """Write the plan of a new comparison."""
        self.write_document(
            {
                "format": 1,
                "options": plan.options.to_mapping(),
                "configs": {name: json.loads(config.to_json()) for name, config in plan.configs.items()},
                "step_seconds": dict(plan.step_seconds),
                "remarks": list(plan.remarks),
            }
        )

    def read_plan(self) -> ComparisonPlan:
        """Return the plan.

        Raises:
            RunError: there is none, or it cannot be read.
            ConfigError: a config in it was changed and is invalid.
        """
        try:
            document = self.read_document()
            options = document["options"]
            chosen = {name: options[name] for name in ("minutes", "steps", "profile")}
            return ComparisonPlan(
                options=Options(**chosen, configs=_configs(options["configs"])),
                configs=_configs(document["configs"]),
                step_seconds={name: float(value) for name, value in document["step_seconds"].items()},
                remarks=tuple(document["remarks"]),
            )
        except (OSError, json.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            raise RunError(
                f"{self.path} is not a comparison: {PLAN} cannot be read ({error}); name the folder that "
                "ugatit-train compare wrote, or a new one."
            ) from None

    def refuse_changes(self, plan: ComparisonPlan, options: Options) -> None:
        """Check that the options are those of the start.

        Raises:
            RunError: an option differs; the message names each.
        """
        before, now = plan.options.to_mapping(), options.to_mapping()
        if before["configs"].keys() != now["configs"].keys():
            changes = [f"methods were {', '.join(before['configs'])} and are {', '.join(now['configs'])}"]
        else:
            changes = differences(before, now)
        if changes:
            raise RunError(
                f"The comparison in {self.path} was started with other options: {', '.join(changes)}; give "
                "those of its start to continue it, or name a new folder with --out."
            )


def make_plan(
    options: Options, *, turn: int | None, remarks: tuple[str, ...], device: str = "cpu"
) -> ComparisonPlan:
    """Measure a few steps of each method, and return the plan of the comparison.

    Args:
        options: the user's.
        turn: the steps of a turn; None divides the steps into `TURNS`.
        remarks: what was changed to fit the pictures.
        device: where the methods are trained.

    Raises:
        ConfigError: the minutes are too few for one step of each.
    """
    seconds = {
        name: measure_steps(config, device=device).step_seconds for name, config in options.configs.items()
    }
    steps = options.steps or _steps_within(options.minutes or 0, seconds)
    changes = {"steps": steps, "save_every": turn or math.ceil(steps / TURNS)}
    configs = {name: changed(config, changes) for name, config in options.configs.items()}
    return ComparisonPlan(options=options, configs=configs, step_seconds=seconds, remarks=remarks)


def _steps_within(minutes: float, seconds: Mapping[str, float]) -> int:
    """Return the steps that every method can have, so that all together take the minutes."""
    each = sum(seconds.values())
    steps = int(minutes * 60 / each)
    if steps < 1:
        raise ConfigError(
            f"--minutes must be at least {math.ceil(each / 60)} for one step of each of {len(seconds)} "
            f"methods, got {minutes:g}; give more minutes, or smaller networks with --size and --channels."
        )
    return steps


def _configs(documents: Mapping[str, Any]) -> dict[str, RunConfig]:
    return {name: from_mapping(values) for name, values in documents.items()}
