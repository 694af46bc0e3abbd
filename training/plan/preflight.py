"""Compare what a run needs with what this machine has left, before its first step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.console import Console

from models.files.text import as_text
from training.checkpoint.content import Checkpoint
from training.config.run_config import RunConfig
from training.console.durations import in_words
from training.console.terminal import busy
from training.parallel.processes import Processes
from training.plan.machine import free_disk_bytes
from training.plan.plan import BFLOAT16_SHARE, Plan, make_plan
from training.plan.render import size
from training.run.folder import RunFolder

_LONG_SECONDS: Final = 7 * 24 * 3600
"""After which a run on a CPU is hardly meant."""


class DoesNotFitError(ValueError):
    """A run needs more memory or disk than there is. The message is one sentence."""


class Need(NamedTuple):
    """What a run needs of one thing, and how much of it is free."""

    what: str
    needed_bytes: int
    free_bytes: int | None
    remedy: str

    @property
    def fits(self) -> bool:
        """Whether there is enough, or nobody knows."""
        return self.free_bytes is None or self.needed_bytes <= self.free_bytes

    def __str__(self) -> str:
        free = "" if self.free_bytes is None else f", {size(self.free_bytes)} free"
        return f"{self.what}: about {size(self.needed_bytes)}{free}."


def check_fits(
    config: RunConfig,
    run: RunFolder,
    pictures: Mapping[str, int],
    processes: Processes,
    console: Console,
    *,
    checkpoint: Checkpoint | None = None,
    anyway: bool = False,
) -> None:
    """Print a run's memory, disk and time beside what this machine has left, and refuse what cannot fit.

    It takes a few seconds, under one for the smallest networks, and changes nothing that the run computes.

    Args:
        config: what is to be done.
        run: its folder, which need not exist yet.
        pictures: how many there are in each folder of the data set.
        processes: those that will train; only one of them calls this.
        console: where to print.
        checkpoint: what the run goes on from, in memory; None at the start.
        anyway: only warn.

    Raises:
        DoesNotFitError: there is too little memory or disk.
    """
    with busy(console, "Estimating memory, disk and time …"):
        plan = make_plan(
            config,
            pictures,
            device_type=processes.device.type,
            processes=processes.count,
            local_processes=processes.local_count,
        )
    done = checkpoint.step if checkpoint is not None else 0
    needs = (_memory(plan, _held_bytes(checkpoint)), _disk(plan, run, done))
    for line in (*map(str, needs), _time(plan, done), _assumed(plan)):
        console.print(line, highlight=False, soft_wrap=True)
    refusal = _refusal([need for need in needs if not need.fits])
    if refusal and not anyway:
        raise DoesNotFitError(f"{refusal}, or start the run anyway with --yes.")
    if refusal:
        console.print(f"Warning: {refusal}.", highlight=False, soft_wrap=True)


def _held_bytes(checkpoint: Checkpoint | None) -> int:
    """What a checkpoint holds in memory until its state is restored."""
    groups = checkpoint.tensors.values() if checkpoint is not None else ()
    return sum(tensor.nbytes for group in groups for tensor in group.values())


def _memory(plan: Plan, held_bytes: int) -> Need:
    remedy = "use a smaller --preset, --size, --channels or --batch"
    if held_bytes:
        remedy = "free some memory, or resume on a larger machine"
    if plan.speed.device_type == "cuda":
        return Need("GPU memory", plan.needed_bytes, plan.free_memory_bytes, remedy)
    # The checkpoint in memory will give way, and every process on this machine has read one.
    needed = max(0, plan.needed_bytes - plan.local_processes * held_bytes)
    several = f" of {plan.local_processes} processes" if plan.local_processes > 1 else ""
    return Need(f"Memory{several}", needed, plan.free_memory_bytes, remedy)


def _disk(plan: Plan, run: RunFolder, done: int) -> Need:
    """What is still to be written: the first checkpoints of a run replace none, the later ones do."""
    there = sum(file.stat().st_size for file in run.checkpoints.rglob("*") if file.is_file())
    samples = plan.samples_bytes_of(plan.config.steps - done)
    needed = max(0, plan.checkpoints_bytes - there) + samples
    remedy = (
        "free some space" if done else "free some space, or use a larger --save-every or --set keep_last=1"
    )
    return Need(f"Disk in {as_text(run.path)}", needed, free_disk_bytes(run.path), remedy)


def _time(plan: Plan, done: int) -> str:
    if plan.speed.device_type == "cuda":
        return "Time: not estimated on a GPU; the first steps show it."
    seconds = plan.step_seconds * (plan.config.steps - done)
    advice = " A run of hours on a CPU is --preset cpu-demo." if seconds > _LONG_SECONDS else ""
    return f"Time: about {in_words(seconds)} on this CPU, {_seconds(plan.step_seconds)} s a step.{advice}"


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.2g}"


def _assumed(plan: Plan) -> str:
    config = plan.config
    on_cpu = plan.speed.device_type == "cpu"
    precision = "bfloat16" if plan.speed.bfloat16 else "float32"
    timed = ", and for the time one residual block, measured now. Time is right to a factor of about 2."
    share = f" at {BFLOAT16_SHARE:.0%} of float32's size" if plan.speed.bfloat16 else ""
    return (
        f"Assumed: activations in {precision}{share}, {config.keep_last} checkpoints beside the best and the "
        f"next, sample sheets every {config.save_every:,} steps{timed if on_cpu else '.'} "
        "ugatit-train plan shows the details."
    )


def _refusal(lacking: list[Need]) -> str:
    if not lacking:
        return ""
    needs = " and ".join(
        f"about {size(need.needed_bytes)} of {_lower(need.what)} ({size(need.free_bytes or 0)} is free)"
        for need in lacking
    )
    return f"This run needs {needs}; {' and '.join(need.remedy for need in lacking)}"


def _lower(what: str) -> str:
    return what if what.startswith("GPU") else what[0].lower() + what[1:]
