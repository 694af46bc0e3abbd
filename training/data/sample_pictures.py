"""The pictures of a run's sample sheets, the same on every sheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from training.data.folder import Domain
from training.data.samples import load_resized
from training.data.scan import ScanResult
from training.data.tensors import to_tensor


def test_batch(pictures: ScanResult, domain: Domain, count: int, *, size: int) -> Tensor:
    """Return test pictures spread evenly over a domain, whole and unaugmented, always the same.

    Returns:
        float32 [min(count, pictures), 3, size, size], -1 to 1.

    Raises:
        DataError: a file can no longer be read.
    """
    return _spread_batch(pictures.test[domain], count, size)


def train_batch(pictures: ScanResult, domain: Domain, count: int, *, size: int) -> Tensor:
    """Return training pictures in the same way as `test_batch`."""
    return _spread_batch(pictures.train[domain], count, size)


def _spread_batch(paths: Sequence[Path], count: int, size: int) -> Tensor:
    count = min(count, len(paths))
    # Adjacent files are often similar, so take the middles of equal intervals.
    chosen = [paths[(2 * index + 1) * len(paths) // (2 * count)] for index in range(count)]
    return to_tensor([load_resized(path, size) for path in chosen])
