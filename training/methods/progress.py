"""Where a run is: what schedules and phases of a method depend on."""

from __future__ import annotations

from typing import Final, NamedTuple


class Progress(NamedTuple):
    """The position of one step in its run. Equal positions give equal steps, also after a resume."""

    step: int
    """The number of this step, from 1."""
    total: int
    """The number of steps of the whole run."""
    epoch_steps: int
    """The steps of an epoch, at least 1: the pictures of the larger domain over those of a step."""

    @property
    def share(self) -> float:
        """The share of the run that is done after this step, 0 to 1."""
        return self.step / self.total

    @property
    def done(self) -> float:
        """The share of the run that was done before this step, 0 to 1."""
        return (self.step - 1) / self.total

    @property
    def epoch(self) -> int:
        """The number of this step's epoch, from 0."""
        return (self.step - 1) // self.epoch_steps

    @property
    def step_in_epoch(self) -> int:
        """The number of this step in its epoch, from 0."""
        return (self.step - 1) % self.epoch_steps


TYPICAL: Final = Progress(step=250_000, total=1_000_000, epoch_steps=25_000)
"""A step in the first half of a run, after any short first phase, for estimates and measurements."""
