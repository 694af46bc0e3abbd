"""The machine's GEMM rate, measured in turn with the contenders: the limit of a network of convolutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.harness import Samples
from bench.plain import by_formula
from models.bundle.directory import read_bundle
from models.networks.config import GeneratorConfig
from models.networks.generator import Generator

SIDE: Final = 2048
"""Of the square matrices: large enough for the full rate, 17 GFLOP a product."""
_DTYPES: Final[Mapping[str, torch.dtype]] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


class Work(NamedTuple):
    """What a contender computes in one call."""

    operations: int
    """Of the direct convolutions and matrix products, a multiplication and an addition counted as two."""
    precision: str
    """float32 or bfloat16."""


def gemm_name(precision: str) -> str:
    """Return the name of the contender that multiplies matrices."""
    return f"matrix product, {precision}"


def gemm(precision: str) -> Callable[[], object]:
    """Return a call that multiplies two square matrices with torch, by its threads."""
    a, b, product = (torch.rand(SIDE, SIDE).to(_DTYPES[precision]) for _ in range(3))
    return lambda: torch.mm(a, b, out=product)


def gemm_work(precisions: set[str]) -> dict[str, Work]:
    """Return the work of each precision's matrix product, by its contender's name."""
    return {gemm_name(each): Work(2 * SIDE**3, each) for each in sorted(precisions)}


def gemm_contenders(precisions: set[str]) -> dict[str, Callable[[], object]]:
    """Return a matrix product for each precision, by name."""
    return {gemm_name(each): gemm(each) for each in sorted(precisions)}


def gpu_gemm_contenders(device: int) -> dict[str, Callable[[], object]]:
    """Return a matrix product on a GPU for each precision that models run in there; none without CUDA.

    As the service does, torch computes float32 without TF32, its default for matrix products.
    """
    if not torch.cuda.is_available():
        return {}
    return {gemm_name(each): _gpu_gemm(each, device) for each in ("float32", "float16")}


def _gpu_gemm(precision: str, device: int) -> Callable[[], object]:
    factors = [torch.rand(SIDE, SIDE).to(f"cuda:{device}", _DTYPES[precision]) for _ in range(3)]
    a, b, product = factors

    def multiply() -> None:
        torch.mm(a, b, out=product)
        torch.cuda.synchronize(device)

    return multiply


def picture_operations(bundle: Path) -> int:
    """Return the operations of one picture of a U-GAT-IT bundle, by the shape that its manifest records."""
    architecture = read_bundle(bundle).manifest.architecture
    config: Any = {
        each.name: architecture[each.name] for each in fields(GeneratorConfig) if each.name in architecture
    }
    with torch.device("meta"):
        generator = Generator(GeneratorConfig(**config)).eval()
        picture = torch.empty(1, 3, generator.config.size, generator.config.size)
    return count_operations(lambda: by_formula(generator)(picture))


def count_operations(call: Callable[[], object]) -> int:
    """Return the operations of a call's convolutions and matrix products, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def gemm_figures(
    samples: Mapping[str, Samples], work: Mapping[str, Work]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return the GFLOP/s of each contender with known work, and its share of its precision's GEMM rate.

    Both are medians over the rounds. A share compares the two calls of one round, which a busy machine slows
    alike.
    """
    rates, shares = {}, {}
    for name, (operations, precision) in work.items():
        limit = gemm_name(precision)
        rounds = zip(samples[name].wall, samples[limit].wall, strict=True)
        scale = operations / work[limit].operations
        rates[name] = operations / samples[name].median / 1e9
        shares[name] = median(scale * product / call for call, product in rounds)
    return rates, shares
