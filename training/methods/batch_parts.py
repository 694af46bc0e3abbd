"""Batches taken apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import Tensor


def split(batch: Mapping[str, Tensor], parts: int) -> list[dict[str, Tensor]]:
    """Equal parts of a batch, in order."""
    assert all(len(pictures) % parts == 0 for pictures in batch.values())
    pieces = {domain: pictures.chunk(parts) for domain, pictures in batch.items()}
    return [{domain: each[number] for domain, each in pieces.items()} for number in range(parts)]


def halves(answer: Iterable[Tensor | None]) -> tuple[list[Any], list[Any]]:
    """The fields of an answer for the first and for the second half of a batch; None stays None."""
    pairs = [(None, None) if value is None else value.chunk(2) for value in answer]
    return [first for first, _ in pairs], [second for _, second in pairs]
