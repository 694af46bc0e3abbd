"""Start or resume a run: everything between the command and the loop."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import ExitStack, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from training.checkpoint.content import Checkpoint
from training.checkpoint.read import list_folders, load_newest
from training.config.compute_settings import choose_settings
from training.config.run_config import RunConfig, changed
from training.console.terminal import busy, open_console
from training.data.folder import DOMAINS
from training.data.sample_pictures import test_batch, train_batch
from training.data.scan import ScanResult, remarks, scan
from training.data.stream import Stream
from training.journal.journal import Journal
from training.journal.sample_sheets import SAMPLES
from training.methods.method import Batch, Method
from training.methods.running_average import RunningAverage
from training.parallel.processes import Processes, describe_processes
from training.plan.plan import count_pictures
from training.plan.preflight import check_fits
from training.run.evaluations import Evaluations, lacks_figure
from training.run.evaluator import Evaluator, OpenEvaluator
from training.run.initial_weights import Weights, read_initial
from training.run.loop import train
from training.run.resume_changes import print_batch_change, print_compute_changes, print_config_changes
from training.run.state import restore
from training.run_folder.folder import RunError, RunFolder
from training.run_folder.lock import locked


def start_run(
    run: RunFolder,
    config: RunConfig,
    data: Path,
    init: Path | None,
    processes: Processes,
    console: Console,
    *,
    open_evaluator: OpenEvaluator | None = None,
    anyway: bool = False,
    until: int | None = None,
    quiet: bool = False,
) -> None:
    """Start a run in an empty folder.

    Args:
        run: the folder, new or empty.
        config: the config of the run.
        data: the data set's folder.
        init: the checkpoint whose weights to start from, if any.
        processes: the processes that train together.
        console: where progress is shown.
        open_evaluator: needed where `config.evaluate_every` is not 0.
        anyway: start even if memory or disk seem too small.
        until: the step to save and return at; None is the configured number of steps.
        quiet: skip the estimates, and show no facts about pictures and hardware: for a caller that starts
            many runs and shows them once.

    Raises:
        RunError: the folder is not empty, or another process writes to it.
        DoesNotFitError: memory or disk are too small.
        DataError: the data set cannot be used.
        CheckpointError, ConfigError: `init` cannot be used.
        Exception: what `open_evaluator` and `train` raise.
    """
    notes = open_console(quiet=True) if quiet else console
    with ExitStack() as held:
        with processes.fail_together():
            if processes.rank == 0 and not quiet:
                check_fits(config, run, count_pictures(data), processes, console, anyway=anyway)
            pictures = _scan(data, config, notes)
            evaluator = _evaluator(open_evaluator, config, data, processes, notes)
            _seed_everything(config.seed)
            method = _make_method(config, processes, notes)
            if init is not None:
                for name, weights in _first_weights(init, config, method, notes).items():
                    method.networks[name].load_state_dict(weights)
            if processes.rank == 0:
                run.make()
                held.enter_context(locked(run.path))
                run.create(config, data, pictures, speed=method.speed.facts())
        _train(run, config, method, pictures, None, evaluator, processes, console, until=until)


def resume_run(
    run: RunFolder,
    changes: Mapping[str, Any],
    processes: Processes,
    console: Console,
    *,
    data: Path | None = None,
    open_evaluator: OpenEvaluator | None = None,
    anyway: bool = False,
    until: int | None = None,
    quiet: bool = False,
) -> None:
    """Resume a run from its newest checkpoint that can be used; print a sentence if it is finished.

    Args:
        run: the folder.
        changes: changes of the config, such as `{"accumulate": 2}`. A number of steps is written into the
            run's config.
        processes: the processes that train together; their number may differ from before.
        console: where progress is shown.
        data: the new folder of the data set; None if it was not moved.
        open_evaluator: needed where the run's `evaluate_every` is not 0.
        anyway: resume even if memory or disk seem too small.
        until, quiet: as in `start_run`.

    Raises:
        DoesNotFitError: memory or disk are too small.
        RunError: the folder is not a run or has no checkpoint yet, another process writes to it, the new
            number of steps is below the steps done, or its pictures differ from those of the start.
        CheckpointError: no checkpoint can be used.
        ConfigError: the changed config is invalid, or the checkpoint does not fit it.
        Exception: what `open_evaluator` and `train` raise.
    """
    notes = open_console(quiet=True) if quiet else console
    with ExitStack() as held:
        with processes.fail_together():
            config, known, fingerprint = run.read()
            config = changed(config, changes)
            if processes.rank == 0:
                held.enter_context(locked(run.path))
            checkpoint = _newest(run, console)
            if "steps" in changes and checkpoint.step > config.steps:
                raise RunError(
                    f"--steps must be more than the {checkpoint.step:,} that {run.path} has done, "
                    f"got {config.steps:,}."
                )
            if checkpoint.step >= config.steps and not lacks_figure(run, config, checkpoint.step):
                console.print(_finished(run, checkpoint.step), highlight=False, soft_wrap=True)
                return
            pictures = _scan_again(run, data or known, config, notes)
            if pictures.fingerprint != fingerprint:
                raise RunError(_other_pictures(run, pictures))
            notes.print(f"Resuming from step {checkpoint.step:,}.", highlight=False)
            if processes.rank == 0 and not quiet:
                counts = count_pictures(pictures.folder)
                check_fits(config, run, counts, processes, console, checkpoint=checkpoint, anyway=anyway)
            evaluator = _evaluator(open_evaluator, config, pictures.folder, processes, notes)
            method = _make_method(config, processes, notes)
            print_config_changes(checkpoint, config, console)
            print_compute_changes(run, method.speed, console)
            print_batch_change(checkpoint, config, processes, console)
            if processes.rank == 0:
                run.update_config(steps=config.steps, data=data or known)
                run.record_pictures(pictures)
                run.drop_stats_after(checkpoint.step)
        _train(run, config, method, pictures, checkpoint, evaluator, processes, console, until=until)


def _finished(run: RunFolder, done: int) -> str:
    steps = "1 step" if done == 1 else f"{done:,} steps"
    return f"{run.path} is finished after {steps}; make it longer with --steps N."


def _scan_again(run: RunFolder, data: Path, config: RunConfig, console: Console) -> ScanResult:
    if not data.is_dir():
        raise RunError(
            f"The pictures of {run.path} must be in {data}, which is not a folder; name the folder that they "
            "were moved to with --data PATH."
        )
    return _scan(data, config, console)


def _other_pictures(run: RunFolder, pictures: ScanResult) -> str:
    found = run.differences(pictures)
    which = str(found or "") or "the run has no list of its pictures, so which ones is unknown"
    return (
        f"The pictures in {pictures.folder} differ from those that {run.path} was started with: {which}; "
        "restore them, name a folder that contains them with --data PATH, or start a new run from this run's "
        f"weights with ugatit-train fit --init {run.path}."
    )


def _newest(run: RunFolder, console: Console) -> Checkpoint:
    if not list_folders(run.checkpoints):
        raise RunError(
            f"{run.path} has no checkpoint, because it ended before its first one; delete it and start "
            "again with ugatit-train fit."
        )
    checkpoint, skipped = load_newest(run.checkpoints)
    for each in skipped:
        console.print(f"Skipped {each.path.name}: {each.reason}", highlight=False)
    return checkpoint


def _make_method(config: RunConfig, processes: Processes, console: Console) -> Method:
    speed = choose_settings(config.speed, processes.device.type)
    console.print(f"Computing on {speed}; {describe_processes(processes)}.", highlight=False, soft_wrap=True)
    for note in speed.notes:
        console.print(f"Warning: {note}", highlight=False)
    return config.make_method(speed=speed, guard=config.guard, processes=processes)


def _first_weights(init: Path, config: RunConfig, method: Method, console: Console) -> Weights:
    remark = partial(console.print, highlight=False, soft_wrap=True)
    return read_initial(config.kind, init, method.networks, size=config.data.size, remark=remark)


def _evaluator(
    open_evaluator: OpenEvaluator | None,
    config: RunConfig,
    data: Path,
    processes: Processes,
    console: Console,
) -> Evaluator | None:
    """Open what evaluates the run; None where it is not evaluated, or where another process does it."""
    if not config.evaluate_every or processes.rank > 0:
        return None
    assert open_evaluator is not None, "a run that is evaluated needs a way to open its evaluator"
    with busy(console, "Computing the features of the test pictures …"):
        say = partial(console.print, highlight=False, soft_wrap=True)
        return open_evaluator(config, data, processes.device.type, say)


def _train(
    run: RunFolder,
    config: RunConfig,
    method: Method,
    pictures: ScanResult,
    checkpoint: Checkpoint | None,
    evaluator: Evaluator | None,
    processes: Processes,
    console: Console,
    *,
    until: int | None,
) -> None:
    for network in method.networks.values():
        network.to(processes.device)
    average = None
    if config.average_decay and processes.rank == 0:  # only process 0 saves
        average = RunningAverage(method.networks, method.averaged_networks, decay=config.average_decay)
    with Stream(
        pictures,
        config.data,
        seed=config.seed,
        rank=processes.rank,
        world_size=processes.count,
        derived=config.needs.derived,
    ) as stream:
        if checkpoint is not None:
            restore(checkpoint, method, stream, average)
            checkpoint.tensors.clear()  # otherwise the run would keep weights and moments in memory twice
        processes.broadcast(method.networks.values())
        done = checkpoint.step if checkpoint is not None else 0
        say = partial(console.print, highlight=False)
        with run.writing():
            journal, samples, evaluations = None, {}, None
            if processes.rank == 0:
                samples = _sample_pictures(pictures, config.data.size, processes.device)
                journal = Journal(run, config, method, processes, done=done, console=console)
                if evaluator is not None:
                    evaluations = Evaluations(run, method, average, journal, evaluator)
            with journal or nullcontext():
                train(
                    run,
                    config,
                    method,
                    stream,
                    average,
                    journal,
                    samples,
                    processes,
                    epoch_steps=_epoch_steps(config, pictures, processes),
                    evaluations=evaluations,
                    done=done,
                    until=until,
                    say=say,
                )


def _epoch_steps(config: RunConfig, pictures: ScanResult, processes: Processes) -> int:
    """Return the steps in which the larger domain is seen once."""
    most = max(len(paths) for paths in pictures.train.values())
    return max(1, most // (config.pictures_each * processes.count))


def _seed_everything(seed: int) -> None:
    """Seed every generator: only torch's draws weights, but a checkpoint contains the states of all."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _scan(data: Path, config: RunConfig, console: Console) -> ScanResult:
    with busy(console, f"Reading the pictures in {data} …"):
        pictures = scan(data, max_unreadable_share=config.data.max_unreadable_share)
    for remark in remarks(pictures):
        console.print(remark, soft_wrap=True, highlight=False)
    return pictures


def _sample_pictures(pictures: ScanResult, size: int, device: torch.device) -> dict[str, Batch]:
    return {
        name: {domain: read(pictures, domain, SAMPLES, size=size).to(device) for domain in DOMAINS}
        for name, read in (("train", train_batch), ("test", test_batch))
    }
