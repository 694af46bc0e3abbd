"""Frechet distance between two sets of features, taken as normally distributed (Heusel et al., 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def frechet_distance(x: ArrayLike, y: ArrayLike) -> float:
    """Return |mean_x - mean_y|^2 + tr(S_x + S_y - 2 (S_x S_y)^(1/2)), S the unbiased covariances.

    With S = A^T A, where A holds the centred features over sqrt(n - 1), the eigenvalues of S_x S_y are the
    squared singular values of A_y A_x^T. This stays exact with fewer features than dimensions, where most
    eigenvalues of S_x S_y are rounding errors.

    Args:
        x: features [m, d], at least 2.
        y: features [n, d], at least 2.
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    root_x, root_y = _covariance_root(x), _covariance_root(y)
    means = float(((x.mean(axis=0) - y.mean(axis=0)) ** 2).sum())
    traces = float((root_x**2).sum() + (root_y**2).sum())
    between = float(np.linalg.svd(root_y @ root_x.T, compute_uv=False).sum())
    return means + traces - 2 * between


def _covariance_root(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return A with A^T A = the covariance, in at most d rows."""
    centred: NDArray[np.float64] = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    if len(x) <= x.shape[1]:
        return centred
    return np.asarray(np.linalg.qr(centred, mode="r"))  # Q drops out of A^T A
