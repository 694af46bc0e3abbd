"""The pictures that every sample sheet of a run shows again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from training.data.folder import Domain
from training.data.samples import load_resized
from training.data.scan import ScanResult
from training.data.tensors import to_tensor


def test_batch(pictures: ScanResult, domain: Domain, count: int, *, size: int) -> Tensor:
    """Test pictures spread evenly over a domain, whole and unaugmented, always the same.

    Returns:
        float32 [min(count, pictures), 3, size, size], -1 to 1.

    Raises:
        DataError: a file can no longer be read.
    """
    return _fixed_batch(pictures.test[domain], count, size)


def train_batch(pictures: ScanResult, domain: Domain, count: int, *, size: int) -> Tensor:
    """The same of the training pictures."""
    return _fixed_batch(pictures.train[domain], count, size)


def _fixed_batch(paths: Sequence[Path], count: int, size: int) -> Tensor:
    count = min(count, len(paths))
    # The middles of equal stretches: neighbours in a folder are often alike.
    chosen = [paths[(2 * place + 1) * len(paths) // (2 * count)] for place in range(count)]
    return to_tensor([load_resized(path, size) for path in chosen])
