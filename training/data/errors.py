"""Errors of a data set: one unreadable file, or the whole data set."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unreadable:
    """A file that is named like a picture but cannot be read as one."""

    name: str
    """Its path below the data set's folder, as text."""
    reason: str
    """One sentence."""

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


class DataError(ValueError):
    """A data set cannot be used for training. The message is one sentence with the remedy.

    `unreadable` lists the unreadable files where they are the reason.
    """

    def __init__(self, sentence: str, unreadable: tuple[Unreadable, ...] = ()) -> None:
        super().__init__(sentence)
        self.unreadable = unreadable
