"""Print what a resumed run computes otherwise than before."""

from __future__ import annotations

import dataclasses

from rich.console import Console

from training.checkpoint.content import Checkpoint
from training.config.compute_settings import UNOPTIMIZED, ComputeSettings
from training.config.run_config import RunConfig, differences
from training.parallel.processes import Processes
from training.run.state import saved_config
from training.run_folder.folder import RunFolder


def print_config_changes(checkpoint: Checkpoint, config: RunConfig, console: Console) -> None:
    """Print each config key whose value differs from the checkpoint's."""
    before, now = (dataclasses.asdict(each) for each in (saved_config(checkpoint), config))
    for change in differences(before, now):
        console.print(f"Config changed since the checkpoint: {change}.", highlight=False)
    if before["steps"] != config.steps:
        console.print("The learning rate follows the new number of steps.", highlight=False)


def print_compute_changes(run: RunFolder, speed: ComputeSettings, console: Console) -> None:
    """Print each compute setting that differs from those the run was started with."""
    now = speed.facts()
    # Runs of early versions recorded none.
    before = run.compute_settings() or {**UNOPTIMIZED.facts(), "device": now["device"]}
    changes = [
        f"{name} {_on_off(before[name])} -> {_on_off(value)}"
        for name, value in now.items()
        if name in before and before[name] != value
    ]
    if changes:
        text = f"Compute settings changed since the run started: {', '.join(changes)}."
        console.print(text, highlight=False, soft_wrap=True)


def _on_off(setting: str | bool) -> str:
    if isinstance(setting, bool):
        return "on" if setting else "off"
    return setting


def print_batch_change(
    checkpoint: Checkpoint, config: RunConfig, processes: Processes, console: Console
) -> None:
    """Print the number of pictures in a step, if it differs from that of the steps done."""
    cursors = checkpoint.scalars["data"]
    assert isinstance(cursors, dict)
    before = int(str(cursors["A"])) / checkpoint.step
    now = config.pictures_each * processes.count
    if before != now:
        console.print(
            f"Pictures of each domain per step changed: {before:g} -> {now}. To keep {before:g}, change "
            "--accumulate or the number of processes.",
            highlight=False,
        )
