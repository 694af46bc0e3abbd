"""What is asked of a reader of official checkpoints, and what it returns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from training.export.translator import Translator


class ImportRequest(NamedTuple):
    """Which networks of which files to read."""

    paths: Sequence[Path]
    """The files, in the order of the command line; a TensorFlow checkpoint may be a folder or a prefix."""
    directions: Collection[str]
    """The wanted directions, such as `A2B`."""
    discriminators: bool = False
    """Whether the discriminators are exported too."""
    size: int | None = None
    """The training size in pixels, where the files do not record it; None for the method's default."""
    step: int | None = None
    """Of a folder with checkpoints of several steps; None for the newest."""
    smoothing: bool | None = None
    """Whether rho is smoothed, for TensorFlow checkpoints of U-GAT-IT; None reads it from the folder's
    name."""


class Imported(NamedTuple):
    """The translators of official checkpoints."""

    translators: Sequence[Translator]
    """Those of the wanted directions."""
    sha256: str
    """Of the file, or of the index that has the checksum of every tensor."""
    steps: int | None = None
    """The training steps that the files record."""
    assumed_size: int | None = None
    """The training size in pixels, if it was neither given nor in the files."""
    ignored: Mapping[str, str] = {}
    """Entries of the files that are not networks: the class of each by its name."""
    remarks: Sequence[str] = ()
    """Sentences about what was chosen or assumed."""


class ImportOfficial(Protocol):
    """Reads the official checkpoints of a method."""

    def __call__(self, request: ImportRequest) -> Imported:
        """Return the translators of the wanted directions.

        Raises:
            OfficialCheckpointError: a file is no such checkpoint, or an option contradicts it.
        """
