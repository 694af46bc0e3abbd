"""Compare what a run needs with what this machine has left, before its first step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rich.console import Console

from models.files.text import as_text
from training.checkpoint.content import Checkpoint
from training.config.run_config import RunConfig
from training.console.phrases import format_duration
from training.console.terminal import busy
from training.parallel.processes import Processes
from training.plan.evaluations import count_evaluations
from training.plan.machine import free_disk_bytes
from training.plan.plan import BFLOAT16_SHARE, Plan, make_plan
from training.plan.render import size
from training.run_folder.folder import RunFolder

_LONG_SECONDS: Final = 7 * 24 * 3600
"""A longer run on a CPU gets the advice to use --preset cpu-demo."""


class DoesNotFitError(ValueError):
    """A run needs more memory or disk than there is. The message is one sentence."""


class Need(NamedTuple):
    """How much memory or disk a run needs, and how much is free."""

    what: str
    needed_bytes: int
    free_bytes: int | None
    remedy: str

    @property
    def fits(self) -> bool:
        """Return whether enough is free; True where the system does not say how much is."""
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
    runs: int = 1,
    anyway: bool = False,
) -> None:
    """Print a run's memory, disk and time beside what this machine has free; refuse a run that does not fit.

    It takes a few seconds, under one for the smallest networks, and changes nothing that the run computes.

    Args:
        config: the run's.
        run: its folder, which need not exist yet.
        pictures: the number in each folder of the data set.
        processes: the processes that train; only one of them calls this.
        console: where to print.
        checkpoint: the one that the run resumes from, held in memory; None for a new run.
        runs: the number of such runs that the disk must hold.
        anyway: warn instead of refusing.

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
    needs = (_memory(plan, _held_bytes(checkpoint)), _disk(plan, run, done, runs))
    for line in (*map(str, needs), _time(plan, done), _assumed(plan)):
        console.print(line, highlight=False, soft_wrap=True)
    refusal = _refusal([need for need in needs if not need.fits])
    if refusal and not anyway:
        raise DoesNotFitError(f"{refusal}, or start the run anyway with --yes.")
    if refusal:
        console.print(f"Warning: {refusal}.", highlight=False, soft_wrap=True)


def _held_bytes(checkpoint: Checkpoint | None) -> int:
    """Return the bytes of a checkpoint that is held in memory until its state is restored."""
    groups = checkpoint.tensors.values() if checkpoint is not None else ()
    return sum(tensor.nbytes for group in groups for tensor in group.values())


def _memory(plan: Plan, held_bytes: int) -> Need:
    remedy = "use a smaller --preset, --size, --channels or --batch"
    if held_bytes:
        remedy = "free some memory, or resume on a larger machine"
    if plan.speed.device_type == "cuda":
        return Need("GPU memory", plan.needed_bytes, plan.free_memory_bytes, remedy)
    # Every process on this machine has read the checkpoint, and frees it when its state is restored.
    needed = max(0, plan.needed_bytes - plan.local_processes * held_bytes)
    several = f" of {plan.local_processes} processes" if plan.local_processes > 1 else ""
    return Need(f"Memory{several}", needed, plan.free_memory_bytes, remedy)


def _disk(plan: Plan, run: RunFolder, done: int, runs: int) -> Need:
    """Return the disk still needed: new checkpoints replace old ones once `keep_last` of them exist."""
    used = sum(file.stat().st_size for file in run.checkpoints.rglob("*") if file.is_file())
    samples = plan.samples_bytes_of(plan.config.steps - done)
    needed = runs * (max(0, plan.checkpoints_bytes - used) + samples)
    remedy = (
        "free some space" if done else "free some space, or use a larger --save-every or --set keep_last=1"
    )
    return Need(f"Disk in {as_text(run.path)}", needed, free_disk_bytes(run.path), remedy)


def _time(plan: Plan, done: int) -> str:
    if plan.speed.device_type == "cuda":
        return "Time: GPU speed is not estimated; read it from the first steps."
    seconds = plan.step_seconds * (plan.config.steps - done)
    advice = " For a run of hours on a CPU, use --preset cpu-demo." if seconds > _LONG_SECONDS else ""
    per_step = _seconds(plan.step_seconds)
    steps = f"Time: about {format_duration(seconds)} on this CPU, {per_step} s a step."
    return f"{steps}{_evaluations(plan, done)}{advice}"


def _evaluations(plan: Plan, done: int) -> str:
    count = count_evaluations(plan.config, plan.config.steps - done)
    if not count or plan.evaluation_seconds is None:
        return ""
    return f" Evaluations: {count:,} of about {format_duration(plan.evaluation_seconds)} each."


def _seconds(seconds: float) -> str:
    return f"{seconds:,.0f}" if seconds >= 10 else f"{seconds:.2g}"


def _assumed(plan: Plan) -> str:
    config = plan.config
    on_cpu = plan.speed.device_type == "cpu"
    precision = "bfloat16" if plan.speed.bfloat16 else "float32"
    timed = ", and for the time one residual block, measured now. Time is accurate to a factor of about 2."
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
