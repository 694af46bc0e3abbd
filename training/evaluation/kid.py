"""Kernel distances between two sets of features: the unbiased squared MMD under several protocols.

With Inception's features this is the Kernel Inception Distance (Binkowski et al., 2018). Values are not
multiplied by 100, unlike in papers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.evaluation.errors import EvaluationError

Features = NDArray[np.float64]
Protocol = Literal["plain", "paper-mean", "paper-alpha"]

BLOCK_SIZE: Final = 10
"""Most features in a block of the paper's protocols."""
PAPER_WEIGHTS: Final[dict[Protocol, tuple[float, float]]] = {
    "paper-mean": (1.0, 1.0),
    "paper-alpha": (0.02, 0.98),
}
"""Weights of the distance to the targets and of that to the sources, before their sum is halved."""
_ROWS_AT_ONCE: Final = 1024


class Estimate(NamedTuple):
    """One estimate of a kernel distance, and its spread where the protocol has one."""

    value: float
    subset_std: float | None = None
    """Population standard deviation over the subsets."""
    standard_error: float | None = None
    """Standard error of the mean over the blocks. The paper prints it after its figures."""


def unbiased_mmd(x: ArrayLike, y: ArrayLike) -> float:
    """Return the unbiased squared MMD of two sets of features under the kernel (x.y / d + 1)^3.

    Args:
        x: features [m, d], at least 2.
        y: features [n, d], at least 2; m and n may differ.
    """
    x, y = _as_features(x), _as_features(y)
    m, n = len(x), len(y)
    within_x = (_kernel_sum(x, x) - _diagonal_sum(x)) / (m * (m - 1))
    within_y = (_kernel_sum(y, y) - _diagonal_sum(y)) / (n * (n - 1))
    return within_x + within_y - 2 * _kernel_sum(x, y) / (m * n)


def subset_mmd(x: ArrayLike, y: ArrayLike, *, size: int, subsets: int, seed: int) -> Estimate:
    """Return the mean over random subsets of both sets, drawn as torch-fidelity draws them.

    Args:
        x: features [m, d].
        y: features [n, d].
        size: features in a subset, 2 to min(m, n); no feature is drawn twice into one subset.
        subsets: how many pairs of subsets.
        seed: torch-fidelity's `rng_seed`.
    """
    x, y = _as_features(x), _as_features(y)
    random = np.random.RandomState(seed)
    values = []
    for _ in range(subsets):
        part_x = x[random.choice(len(x), size, replace=False)]
        part_y = y[random.choice(len(y), size, replace=False)]
        values.append(unbiased_mmd(part_x, part_y))
    return Estimate(float(np.mean(values)), subset_std=float(np.std(values)))


def block_mmd(x: ArrayLike, y: ArrayLike, *, block_size: int = BLOCK_SIZE) -> Estimate:
    """Return the mean over consecutive blocks of both sets, in order, and its standard error.

    Both sets are cut into the same number of blocks, so that the larger set's hold at most `block_size`. One
    block has no standard error.

    Raises:
        EvaluationError: a block would hold fewer than 2 features.
    """
    x, y = _as_features(x), _as_features(y)
    count = -(-max(len(x), len(y)) // block_size)
    if min(len(x), len(y)) < 2 * count:
        raise EvaluationError(
            f"Sets of {len(x)} and {len(y)} pictures are too unequal for blocks of at most {block_size}: "
            "a block would hold fewer than 2 pictures."
        )
    values = [unbiased_mmd(a, b) for a, b in zip(_blocks(x, count), _blocks(y, count), strict=True)]
    error = float(np.std(values, ddof=1) / np.sqrt(count)) if count > 1 else None
    return Estimate(float(np.mean(values)), standard_error=error)


def paper_estimate(
    protocol: Protocol, *, translations: ArrayLike, sources: ArrayLike, targets: ArrayLike
) -> Estimate:
    """Return the figure of the paper author's metric code.

    It is the weighted distance of the translations to the targets and to the sources, halved, in consecutive
    blocks; its spread is the equally weighted standard error. `paper-mean` weights both by 1, `paper-alpha`
    by 0.02 and 0.98.

    Raises:
        EvaluationError: the sets are too unequal for blocks.
    """
    to_targets, to_sources = PAPER_WEIGHTS[protocol]
    target, source = block_mmd(targets, translations), block_mmd(sources, translations)
    value = (to_targets * target.value + to_sources * source.value) / 2
    if target.standard_error is None or source.standard_error is None:
        return Estimate(value)
    error = (to_targets * target.standard_error + to_sources * source.standard_error) / 2
    return Estimate(value, standard_error=error)


def _as_features(values: ArrayLike) -> Features:
    features = np.asarray(values, dtype=np.float64)
    assert features.ndim == 2
    assert len(features) >= 2, "an unbiased estimate needs two features of each set"
    return features


def _kernel_sum(x: Features, y: Features) -> float:
    """Return the sum of all kernel values, some rows at a time, so that memory grows with one set only."""
    dimension = x.shape[1]
    total = 0.0
    for start in range(0, len(x), _ROWS_AT_ONCE):
        products = x[start : start + _ROWS_AT_ONCE] @ y.T / dimension + 1
        total += float((products**3).sum())
    return total


def _diagonal_sum(x: Features) -> float:
    return float((((x * x).sum(axis=1) / x.shape[1] + 1) ** 3).sum())


def _blocks(x: Features, count: int) -> Iterator[Features]:
    """Yield consecutive blocks of equal size; the last ones have one more where the size does not divide."""
    size, larger = divmod(len(x), count)
    start = 0
    for number in range(count):
        end = start + size + (number >= count - larger)
        yield x[start:end]
        start = end
