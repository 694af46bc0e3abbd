"""A contender's share of the machine's GEMM rate."""

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from bench.gemm import SIDE, Work, count_operations, gemm_figures, gemm_name, gemm_work, picture_operations
from bench.harness import Samples


def test_operations_of_a_convolution_are_counted_forward_and_backward() -> None:
    x, weight = torch.rand(1, 4, 8, 8), torch.rand(6, 4, 3, 3, requires_grad=True)
    forward = 2 * 8 * 8 * 4 * 6 * 9
    assert count_operations(lambda: F.conv2d(x, weight, padding=1)) == forward
    assert count_operations(lambda: F.conv2d(x, weight, padding=1).sum().backward()) == 2 * forward


def test_share_compares_the_calls_of_each_round() -> None:
    product = 2 * SIDE**3
    samples = {
        "ours": Samples(wall=[2.0, 4.0, 20.0]),  # the machine became slower
        gemm_name("float32"): Samples(wall=[1.0, 2.0, 10.0]),
    }
    work = {"ours": Work(product, "float32"), **gemm_work({"float32"})}
    rates, shares = gemm_figures(samples, work)
    assert shares == pytest.approx({"ours": 0.5, gemm_name("float32"): 1.0})
    assert rates["ours"] == pytest.approx(product / 4e9)


def test_operations_of_a_picture_follow_from_the_shape_in_the_manifest() -> None:
    assert picture_operations(Path("bundles/selfie2anime")) == pytest.approx(6.7e9, rel=0.01)
