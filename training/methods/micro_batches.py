"""Micro-batches: the equal parts of a batch whose gradients are accumulated."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor


def split_batch(batch: Mapping[str, Tensor], count: int) -> list[dict[str, Tensor]]:
    """Return `count` micro-batches of equal size, in order.

    Args:
        batch: pictures by domain, each `[N, 3, S, S]`; `count` must divide N.
        count: the number of micro-batches.
    """
    assert all(len(pictures) % count == 0 for pictures in batch.values())
    chunks = {
        domain: pictures.chunk(count) for domain, pictures in batch.items()
    }  # each [N / count, 3, S, S]
    return [{domain: each[index] for domain, each in chunks.items()} for index in range(count)]
