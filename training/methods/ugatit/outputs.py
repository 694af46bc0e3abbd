"""Split the outputs of two halves of a batch; fields that are None stay None."""

from __future__ import annotations

from typing import TypeVar

from models.networks.discriminator import DiscriminatorOutput
from models.networks.generator import GeneratorOutput

Output = TypeVar("Output", GeneratorOutput, DiscriminatorOutput)


def split_halves(output: Output) -> tuple[Output, Output]:
    """Return the output for the first and for the second half of a batch: `[2B, ...]` to twice `[B, ...]`."""
    halves = {name: value.chunk(2) for name, value in output._asdict().items() if value is not None}
    return (
        output._replace(**{name: first for name, (first, _) in halves.items()}),
        output._replace(**{name: second for name, (_, second) in halves.items()}),
    )
