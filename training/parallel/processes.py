"""The collective operations of the processes that train one run, and those of a single process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn


class ProcessLostError(RuntimeError):
    """Another process of the run has ended or cannot be reached. The message is one sentence."""


class OtherProcessError(Exception):
    """Another process of the run failed and reports the error; this process only ends."""


class Processes(Protocol):
    """One of the processes that train a run. All processes must make the same calls in the same order."""

    @property
    def rank(self) -> int:
        """The index of this process, from 0. Process 0 writes files and prints."""

    @property
    def count(self) -> int:
        """The number of processes."""

    @property
    def local_count(self) -> int:
        """The number of processes on this machine."""

    @property
    def device(self) -> torch.device:
        """The device that this process computes on."""

    def mean_terms(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return scalars averaged over all processes, detached; NaN or infinity in one reaches all."""

    def mean_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over all processes; all processes get the same bits."""

    def broadcast(self, networks: Iterable[nn.Module]) -> None:
        """Copy parameters and buffers from process 0 to all others."""

    def any_process(self, flag: bool) -> bool:
        """Return whether the flag is true in any process."""

    def fail_together(self) -> AbstractContextManager[None]:
        """Fail in all processes if the block fails in one; the others raise `OtherProcessError`."""


class SingleProcess:
    """A process that trains alone: its collective operations do nothing."""

    rank = 0
    count = 1
    local_count = 1

    def __init__(self, device: torch.device | None = None) -> None:
        self.device = device or torch.device("cpu")

    def mean_terms(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the terms, detached."""
        return {name: term.detach() for name, term in terms.items()}

    def mean_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Keep the gradients as they are."""

    def broadcast(self, networks: Iterable[nn.Module]) -> None:
        """Do nothing."""

    def any_process(self, flag: bool) -> bool:
        """Return the flag."""
        return flag

    def fail_together(self) -> AbstractContextManager[None]:
        """Raise the block's own error."""
        return nullcontext()


def describe_processes(processes: Processes) -> str:
    """Return the number of processes, machines and devices: `4 processes on 2 machines, 1 thread each`."""
    each = _units(processes)
    if processes.count == 1:
        return f"1 process, {each}"
    machines = processes.count // processes.local_count
    where = f"{machines} machines" if machines > 1 else "this machine"
    return f"{processes.count} processes on {where}, {each} each"


def _units(processes: Processes) -> str:
    if processes.device.type != "cpu":
        return "1 GPU"
    threads = torch.get_num_threads()
    return f"{threads} thread{'s' if threads > 1 else ''}"
