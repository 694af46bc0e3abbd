"""What can be wrong with a folder of pictures, file by file or altogether."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unreadable:
    """A file that looks like a picture by its name but cannot be read."""

    name: str
    """Its path below the data set's folder, as text."""
    reason: str
    """One sentence."""

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}"


class DataError(ValueError):
    """Pictures that cannot be trained on. The message is one sentence with the remedy.

    `unreadable` lists the files that could not be read where those are the reason.
    """

    def __init__(self, sentence: str, unreadable: tuple[Unreadable, ...] = ()) -> None:
        super().__init__(sentence)
        self.unreadable = unreadable
