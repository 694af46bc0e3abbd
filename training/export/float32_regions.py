"""What a graph keeps in float32 when OpenVINO runs it in bfloat16, behind a switch.

OpenVINO's CPU plug-in lowers the precision of every operator, except of those from which a path leads to an
output without a convolution or a matrix product. So one value of each tensor that should stay in float32 is
an output. Convolutions always multiply in bfloat16, but they add in float32 and write what the operator fused
to them writes.

With the switch off, these functions write the plain operators. docs/performance.md has what each region costs
and gains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from torch import Tensor

from models.bundle.graph_switches import MIXED
from training.export.graph import Graph
from training.export.layers import convolution

OUTPUT: Final = "kept_float32"
"""The output that holds one value of every tensor that stays in float32; nothing reads it."""

_LARGEST: Final = float(np.finfo(np.float32).max)
_SPLIT: Final = 2.0**16 + 1
"""Splits the 24 bits of a float32 into the upper 8, which bfloat16 has, and the rest (Dekker 1971)."""
_EXACT_SCALE: Final = 127.5 / 128
"""Pixels k in [-1, 1] times this are (2 k - 255) / 256: 8 bits, which bfloat16 represents exactly."""


def keep(graph: Graph, x: str) -> str:
    """Keep `x` `[N, C, H, W]` in float32, and what it is computed from, up to the next convolution."""
    graph.kept.append(x)
    return x


def accumulate(graph: Graph, convolved: str) -> str:
    """Let the convolution that computes `convolved` write the float32 in which it adds.

    The bounds of the Clip exclude no value. OpenVINO fuses it to the convolution; its result is in float32 if
    a kept value depends on it.
    """
    if not graph.has_switch(MIXED):
        return convolved
    bounds = graph.constant(-_LARGEST), graph.constant(_LARGEST)
    return graph.choose(
        MIXED,
        on=lambda: graph.add("Clip", convolved, *bounds),
        off=lambda: graph.add("Identity", convolved),
    )


def pixel_convolution(
    graph: Graph,
    x: str,
    weight: Tensor,
    bias: Tensor | None,
    *,
    padded: Callable[[str], str],
    stride: int = 1,
) -> str:
    """Convolve a picture with values in [-1, 1], which bfloat16 would round to 8 bits of the darkest values.

    The picture is scaled so that bfloat16 is exact, and each weight is a sum of two values of bfloat16.

    Args:
        graph: to append to.
        x: the name of the picture.
        weight: the kernels.
        bias: None without.
        padded: appends the padding of the picture.
        stride: of the convolution.
    """

    def plain() -> str:
        return convolution(graph, padded(x), weight, bias, stride=stride)

    def exact() -> str:
        kernel, biases = graph.constant(weight), [] if bias is None else [graph.constant(bias)]
        scaled = padded(graph.add("Mul", x, graph.constant(_EXACT_SCALE)))
        parts = _split(graph, graph.add("Mul", kernel, graph.constant(1 / _EXACT_SCALE)))
        twice, kernels = graph.add("Concat", scaled, scaled, axis=1), graph.add("Concat", *parts, axis=1)
        shape = {"kernel_shape": list(weight.shape[2:]), "strides": [stride, stride]}
        return graph.add("Conv", twice, kernels, *biases, **shape)

    return _mixed(graph, on=exact, off=plain)


def pointwise_convolution(graph: Graph, x: str, weight: Tensor, bias: Tensor) -> str:
    """Convolve by 1x1 kernels with twice the digits of bfloat16: three products instead of one.

    Both `x` and the weights are split into two values of bfloat16; the product of the two small ones is left
    out.
    """

    def plain() -> str:
        return convolution(graph, x, weight, bias)

    def exact() -> str:
        (high, low), (upper, lower) = _split(graph, x), _split(graph, graph.constant(weight))
        values = graph.add("Concat", high, low, high, axis=1)
        weights = graph.add("Concat", upper, upper, lower, axis=1)
        return graph.add("Conv", values, weights, graph.constant(bias), kernel_shape=[1, 1])

    return _mixed(graph, on=exact, off=plain)


def _mixed(graph: Graph, *, on: Callable[[], str], off: Callable[[], str]) -> str:
    """Return one of two ways to compute a value; `off` alone in a graph without the switch."""
    return graph.choose(MIXED, on=on, off=off) if graph.has_switch(MIXED) else off()


def _split(graph: Graph, x: str) -> tuple[str, str]:
    """Return two values whose sum is exactly `x`; the first has 8 bits."""
    scaled = graph.add("Mul", x, graph.constant(_SPLIT))
    high = graph.add("Sub", scaled, graph.add("Sub", scaled, x))
    return high, graph.add("Sub", x, high)


def write_kept_values(graph: Graph) -> None:
    """Declare the output `OUTPUT` `[N, k, 1, 1]`: the first channel's first value of every kept tensor.

    With the switch off it is that of one tensor.
    """
    if not graph.kept:
        return
    zero, one, axes = graph.integers(0, 0, 0), graph.integers(1, 1, 1), graph.integers(1, 2, 3)

    def first(x: str) -> str:
        return graph.add("Slice", x, zero, one, axes)

    values = graph.choose(
        MIXED,
        on=lambda: graph.add("Concat", *map(first, graph.kept), axis=1),
        off=lambda: first(graph.kept[0]),
    )
    graph.output(values, OUTPUT, np.float32, ["N", "kept", 1, 1])
