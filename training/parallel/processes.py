"""What the processes of a run do together, and how one alone does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

import torch
from torch import Tensor, nn


class ProcessLostError(RuntimeError):
    """Another process of the run has ended or cannot be reached. The message is a sentence."""


class TroubleElsewhere(Exception):  # noqa: N818
    """Something is wrong in another process of the run, and that process says what."""


class Processes(Protocol):
    """The processes that train one run, as one of them sees them. Every process makes the same calls."""

    @property
    def rank(self) -> int:
        """Which one this is, from 0. The first one writes and speaks."""

    @property
    def count(self) -> int:
        """How many there are."""

    @property
    def local_count(self) -> int:
        """How many of them run on this machine."""

    @property
    def device(self) -> torch.device:
        """Where this one computes."""

    def mean(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Scalars averaged over all processes, detached; what is not finite in one is so in all."""

    def mean_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over all processes, where all can have the same bits."""

    def share(self, networks: Iterable[nn.Module]) -> None:
        """Give all processes the parameters and buffers of the first."""

    def anywhere(self, asked: bool) -> bool:
        """Whether it is so in any process."""

    def together(self) -> AbstractContextManager[None]:
        """Fail in all processes if one fails meanwhile; others raise `TroubleElsewhere`."""


class Solo:
    """One process that trains alone."""

    rank = 0
    count = 1
    local_count = 1

    def __init__(self, device: torch.device | None = None) -> None:
        self.device = device or torch.device("cpu")

    def mean(self, terms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The terms themselves."""
        return {name: term.detach() for name, term in terms.items()}

    def mean_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """They are it already."""

    def share(self, networks: Iterable[nn.Module]) -> None:
        """There is nobody to share with."""

    def anywhere(self, asked: bool) -> bool:
        """Whether it is so here."""
        return asked

    def together(self) -> AbstractContextManager[None]:
        """Whatever fails here fails."""
        return nullcontext()


def in_words(processes: Processes) -> str:
    """Say how many processes there are, where, and on what: `4 processes on 2 machines, 1 thread each`."""
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
