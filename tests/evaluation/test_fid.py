"""Our Frechet distance against torch-fidelity's, and where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.evaluation.fid import frechet_distance
from training.evaluation.inception import import_torch_fidelity


@pytest.mark.parametrize(("m", "n"), [(300, 400), (40, 400), (40, 30)])
def test_the_distance_agrees_with_torch_fidelity(m: int, n: int) -> None:
    import_torch_fidelity()
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    random = np.random.default_rng(0)
    x, y = random.standard_normal((m, 64)), random.standard_normal((n, 64)) * 1.3 + 0.2
    theirs = fid_statistics_to_metric(
        *(fid_features_to_statistics(torch.from_numpy(each)) for each in (x, y)), verbose=False
    )
    assert frechet_distance(x, y) == pytest.approx(theirs["frechet_inception_distance"], rel=1e-4)


def test_equal_sets_are_at_no_distance() -> None:
    x = np.random.default_rng(0).standard_normal((20, 64))
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


def test_independent_dimensions_give_the_sum_of_their_distances() -> None:
    # Along each dimension two values around a mean: variance s^2 = 2 d^2 (n / (n - 1) of d^2 is 2 for n = 2).
    x, y = np.array([[-1.0], [1.0]]), np.array([[2.0], [8.0]])
    means, deviations = (5.0 - 0.0) ** 2, (np.sqrt(18) - np.sqrt(2)) ** 2
    assert frechet_distance(x, y) == pytest.approx(means + deviations)
