"""Our kernel distance against torch-fidelity's, and against formulas written out as loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from training.evaluation.errors import EvaluationError
from training.evaluation.inception import import_torch_fidelity
from training.evaluation.kid import block_mmd, paper_estimate, subset_mmd, unbiased_mmd


def features(count: int, *, dimension: int = 24, shift: float = 0.0, seed: int = 0) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (random.standard_normal((count, dimension)) + shift).astype(np.float32)


def kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float((np.dot(x, y) / len(x) + 1) ** 3)


def by_loops(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    """The definition: every pair of different pictures of a set, and every pair across."""
    a, b = x.astype(float), y.astype(float)
    within_a = [kernel(a[i], a[j]) for i in range(len(a)) for j in range(len(a)) if i != j]
    within_b = [kernel(b[i], b[j]) for i in range(len(b)) for j in range(len(b)) if i != j]
    across = [kernel(one, other) for one in a for other in b]
    return float(np.mean(within_a) + np.mean(within_b) - 2 * np.mean(across))


def test_sets_of_unequal_size_are_compared_as_the_definition_says() -> None:
    x, y = features(7), features(11, shift=0.5, seed=1)
    assert unbiased_mmd(x, y) == pytest.approx(by_loops(x, y), abs=1e-9)


def test_the_estimate_is_unbiased() -> None:
    values = [unbiased_mmd(features(6, seed=2 * n), features(9, seed=2 * n + 1)) for n in range(400)]
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_a_large_set_is_summed_in_parts_without_changing_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = features(50), features(31, seed=1)
    whole = unbiased_mmd(x, y)
    monkeypatch.setattr("training.evaluation.kid._ROWS_AT_ONCE", 7)
    assert unbiased_mmd(x, y) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("seed", [0, 2020])
def test_subsets_agree_with_torch_fidelity(seed: int) -> None:
    import_torch_fidelity()
    from torch_fidelity.metric_kid import kid_features_to_metric

    x, y = features(40, dimension=2048), features(60, dimension=2048, shift=0.1, seed=1)
    theirs = kid_features_to_metric(
        torch.from_numpy(x).double(),
        torch.from_numpy(y).double(),
        kid_subsets=20,
        kid_subset_size=15,
        rng_seed=seed,
        verbose=False,
    )
    ours = subset_mmd(x, y, size=15, subsets=20, seed=seed)
    assert ours.value == pytest.approx(theirs["kernel_inception_distance_mean"], abs=1e-6)
    assert ours.subset_std == pytest.approx(theirs["kernel_inception_distance_std"], abs=1e-6)


def test_all_pictures_as_one_subset_agree_with_torch_fidelity() -> None:
    import_torch_fidelity()
    from torch_fidelity.metric_kid import kernel_mmd

    x, y = features(30, dimension=2048), features(30, dimension=2048, shift=0.2, seed=1)
    assert unbiased_mmd(x, y) == pytest.approx(kernel_mmd(x.astype(float), y.astype(float)), abs=1e-6)


def test_blocks_are_consecutive_and_the_last_ones_larger() -> None:
    x, y = features(23), features(14, seed=1)  # 3 blocks: 7, 8, 8 and 4, 5, 5
    parts = [(x[:7], y[:4]), (x[7:15], y[4:9]), (x[15:], y[9:])]
    values = [by_loops(a, b) for a, b in parts]
    estimate = block_mmd(x, y)
    assert estimate.value == pytest.approx(np.mean(values), abs=1e-9)
    assert estimate.standard_error == pytest.approx(np.std(values, ddof=1) / np.sqrt(3), abs=1e-9)
    assert estimate.subset_std is None


def test_one_block_has_no_standard_error() -> None:
    assert block_mmd(features(10), features(9, seed=1)).standard_error is None


def test_blocks_of_one_picture_are_refused() -> None:
    with pytest.raises(EvaluationError, match="Sets of 60 and 11 pictures are too unequal"):
        block_mmd(features(60), features(11, seed=1))


@pytest.mark.parametrize(("protocol", "weights"), [("paper-mean", (1, 1)), ("paper-alpha", (0.02, 0.98))])
def test_the_paper_mixes_the_distances_to_targets_and_to_sources(
    protocol: str, weights: tuple[float, float]
) -> None:
    sources, targets, made = features(25), features(31, shift=1, seed=1), features(25, shift=0.5, seed=2)
    target, source = block_mmd(targets, made), block_mmd(sources, made)
    assert target.standard_error is not None
    assert source.standard_error is not None
    estimate = paper_estimate(protocol, translations=made, sources=sources, targets=targets)  # type: ignore[arg-type]
    assert estimate.value == pytest.approx((weights[0] * target.value + weights[1] * source.value) / 2)
    assert estimate.standard_error == pytest.approx(
        (weights[0] * target.standard_error + weights[1] * source.standard_error) / 2
    )
