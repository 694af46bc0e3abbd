"""What an importer returns: the networks of an official checkpoint, in our form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from models.networks.discriminator import Discriminator
from models.networks.generator import Generator

GENERATORS: Final[tuple[str, ...]] = ("genA2B", "genB2A")
DISCRIMINATORS: Final[tuple[str, ...]] = ("disGA", "disGB", "disLA", "disLB")


class OfficialCheckpoint(NamedTuple):
    """The networks of an official checkpoint, in evaluation mode."""

    generators: dict[str, Generator]  # the wanted ones of genA2B, genB2A
    discriminators: dict[str, Discriminator]  # those in the file of disGA, disGB, disLA, disLB
    sha256: str
    """Of the file; of the index, which has the checksum of every tensor, for a TensorFlow checkpoint."""
    ignored: dict[str, str]
    """Entries of the file that are not networks and were not read: the class of each by its name."""
    size_assumed: bool
    """Whether `size` was neither given nor in the file."""
    steps: int | None = None
    """The training steps that its name records."""
    remarks: Sequence[str] = ()
    """Sentences about what was chosen or assumed, for whoever reads the checkpoint."""
