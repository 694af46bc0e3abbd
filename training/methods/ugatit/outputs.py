"""Operations on all tensors of a network's output, which keep its type; fields that are None stay None."""

from __future__ import annotations

from typing import TypeVar

import torch

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


def to_float32(output: Output) -> Output:
    """Return the output with its bfloat16 tensors in float32, in which the losses are computed."""
    rounded = {name: value for name, value in output._asdict().items() if _is_bfloat16(value)}
    return output._replace(**{name: value.float() for name, value in rounded.items()})


def _is_bfloat16(value: torch.Tensor | None) -> bool:
    return value is not None and value.dtype == torch.bfloat16
