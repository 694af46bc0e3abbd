"""Start a run, or go on with one: everything between the command and the loop."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from torch import nn

from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from training.average import RunningAverage
from training.checkpoint.content import Checkpoint, split_group
from training.checkpoint.read import load_newest
from training.config import RunConfig
from training.data.fixed import test_batch, train_batch
from training.data.folder import DOMAINS
from training.data.scan import ScanResult, scan
from training.data.stream import Stream
from training.journal.journal import Journal
from training.loop import train
from training.methods.method import Batch
from training.methods.ugatit import Ugatit
from training.run import RunError, RunFolder
from training.speed import Speed, choose
from training.state import restore

SAMPLES = 4
"""Pictures of each domain on a sample sheet."""


def start(
    run: RunFolder, config: RunConfig, data: Path, init: Mapping[str, nn.Module] | None, console: Console
) -> None:
    """Begin a run in an empty folder.

    Raises:
        RunError: the folder is not empty.
        DataError: the data set cannot be used.
        Whatever `train` raises.
    """
    pictures = _scan(data, config, console)
    speed = _choose_speed(config, console)
    _seed_everything(config.seed)
    method = Ugatit(config.ugatit, speed=speed)
    if init is not None:
        method.adopt(init)
    run.create(config, data, pictures, speed=speed.facts())
    _train(run, config, method, pictures, None, console)


def go_on(run: RunFolder, console: Console) -> None:
    """Go on with a run from its newest checkpoint that verifies; a finished one says so.

    Raises:
        RunError: the folder is no run, or its pictures are others than those it was started with.
        CheckpointError: no checkpoint can be used.
        Whatever `train` raises.
    """
    config, data, fingerprint = run.read()
    checkpoint, skipped = load_newest(run.checkpoints)
    for each in skipped:
        console.print(f"Skipped {each.path.name}: {each.reason}", highlight=False)
    if checkpoint.step >= config.steps:
        console.print(f"{run.path} is finished: it has done its {config.steps:,} steps.", highlight=False)
        return
    pictures = _scan(data, config, console)
    if pictures.fingerprint != fingerprint:
        raise RunError(f"The pictures in {data} are others than those that {run.path} was started with.")
    console.print(f"Going on from step {checkpoint.step:,}.", highlight=False)
    run.forget_stats_after(checkpoint.step)
    speed = _choose_speed(config, console)
    before = run.speed()
    if before != speed.facts():
        console.print(f"Until now the run was computed otherwise: {before or 'plainly'}.", highlight=False)
    _train(run, config, Ugatit(config.ugatit, speed=speed), pictures, checkpoint, console)


class Trained(NamedTuple):
    """What a run has learned so far."""

    step: int
    generators: dict[str, Generator]
    discriminators: dict[str, Discriminator]
    config_sha256: str


def load_trained(run: RunFolder, *, raw: bool = False) -> Trained:
    """The networks of a run's newest checkpoint that verifies.

    Args:
        run: the run.
        raw: the generators' own weights, even where the run keeps an average of them.

    Raises:
        RunError: the folder is no run.
        CheckpointError: no checkpoint can be used.
    """
    config, _, _ = run.read()
    checkpoint, _ = load_newest(run.checkpoints)
    method = Ugatit(config.ugatit)
    for name, network in method.networks.items():
        averaged = split_group(checkpoint.tensors.get("average", {}), name)
        network.load_state_dict(
            averaged if averaged and not raw else split_group(checkpoint.tensors["networks"], name)
        )
        network.eval()
    return Trained(checkpoint.step, method.generators, method.discriminators, config.sha256)


def _train(
    run: RunFolder,
    config: RunConfig,
    method: Ugatit,
    pictures: ScanResult,
    checkpoint: Checkpoint | None,
    console: Console,
) -> None:
    average = None
    if config.average_decay:
        average = RunningAverage(method.networks, method.averaged, decay=config.average_decay)
    with Stream(pictures, config.data, seed=config.seed) as stream:
        if checkpoint is not None:
            restore(checkpoint, method, stream, average)
        done = checkpoint.step if checkpoint is not None else 0
        samples = _samples(pictures, config.data.size)
        with Journal(run, config, method, average, samples, done=done, console=console) as journal:
            train(run, config, method, stream, average, journal, done=done)


def _choose_speed(config: RunConfig, console: Console) -> Speed:
    speed = choose(config.speed)
    console.print(f"Computing on {speed}.", highlight=False)
    for note in speed.notes:
        console.print(f"Warning: {note}", highlight=False)
    return speed


def _seed_everything(seed: int) -> None:
    """Only torch draws weights, but all are part of the state, and equal runs have equal states."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def _scan(data: Path, config: RunConfig, console: Console) -> ScanResult:
    with console.status(f"Looking at the pictures in {data} …"):
        return scan(data, max_unreadable_share=config.data.max_unreadable_share)


def _samples(pictures: ScanResult, size: int) -> dict[str, Batch]:
    return {
        "train": {domain: train_batch(pictures, domain, SAMPLES, size=size) for domain in DOMAINS},
        "test": {domain: test_batch(pictures, domain, SAMPLES, size=size) for domain in DOMAINS},
    }
