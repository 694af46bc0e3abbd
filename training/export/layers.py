"""The networks' layers as ONNX operators: the same functions, rewritten for speed.

Constants are computed in float64 and rounded once. `bench/` measures the gain of each rewriting.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from onnx import TensorProto
from torch import Tensor, nn

from models.bundle.graph_switches import WINOGRAD
from models.networks.normalization import EPSILON, LIN, AdaLIN
from training.export.graph import Graph

GammaBeta = tuple[str, str]
"""The names of gamma and beta, `[N, C, 1, 1]` each."""

# Winograd's F(4, 3) for the points 0, 1, -1, 2, -2: the transforms of rows, kernel and results (Lavin &
# Gray's B^T, G and A^T).
_INPUT_TRANSFORM: Final[list[list[float]]] = [
    [4.0, 0, -5, 0, 1, 0],
    [0, -4.0, -4, 1, 1, 0],
    [0, 4.0, -4, -1, 1, 0],
    [0, -2.0, -1, 2, 1, 0],
    [0, 2.0, -1, -2, 1, 0],
    [0, 4.0, 0, -5, 0, 1],
]
_KERNEL_TRANSFORM: Final[list[list[float]]] = [
    [1 / 4, 0, 0],
    [-1 / 6, -1 / 6, -1 / 6],
    [-1 / 6, 1 / 6, -1 / 6],
    [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6],
    [0, 0, 1],
]
_OUTPUT_TRANSFORM: Final[list[list[float]]] = [
    [1.0, 1, 1, 1, 1, 0],
    [0, 1.0, -1, 2, -2, 0],
    [0, 1.0, 1, 4, 4, 0],
    [0, 1.0, -1, 8, -8, 1],
]

_SPACE: Final = (2, 3)


def pixels_to_values(graph: Graph, pixels: str) -> str:
    """Convert uint8 `[N, H, W, 3]` to float `[N, 3, H, W]` in [-1, 1]."""
    values = graph.add("Cast", graph.add("Transpose", pixels, perm=[0, 3, 1, 2]), to=TensorProto.FLOAT)
    return graph.add("Sub", graph.add("Div", values, graph.constant(127.5)), graph.constant(1.0))


def values_to_pixels(graph: Graph, values: str) -> str:
    """Convert float `[N, 3, H, W]` in [-1, 1] to the nearest uint8 `[N, H, W, 3]`."""
    levels = graph.add("Mul", graph.add("Add", values, graph.constant(1.0)), graph.constant(127.5))
    bounded = graph.add("Clip", graph.add("Round", levels), graph.constant(0.0), graph.constant(255.0))
    return graph.add("Transpose", graph.add("Cast", bounded, to=TensorProto.UINT8), perm=[0, 2, 3, 1])


def pad(graph: Graph, x: str, size: int, mode: str = "reflect", *, after: int | None = None) -> str:
    """Pad by `size` on every side, or by `after` below and to the right; a negative size crops."""
    end = size if after is None else after
    return graph.add("Pad", x, graph.integers(0, 0, size, size, 0, 0, end, end), mode=mode)


def convolution(
    graph: Graph, x: str, weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padding: int = 0
) -> str:
    """Convolve a map; `padding` rows and columns of zeros are added on every side."""
    constants = [graph.constant(tensor) for tensor in (weight, bias) if tensor is not None]
    zeros = {"pads": [padding] * 4} if padding else {}
    return graph.add(
        "Conv", x, *constants, strides=[stride, stride], kernel_shape=list(weight.shape[2:]), **zeros
    )


def residual_convolution(graph: Graph, x: str, weight: Tensor, bias: Tensor | None = None) -> str:
    """Convolve a map padded by 1 with 3x3 kernels: directly, or by `_winograd` if the switch is on."""
    return graph.choose(
        WINOGRAD,
        on=lambda: _add_bias(graph, _winograd(graph, x, weight), bias),
        off=lambda: convolution(graph, x, weight, bias),
    )


def _add_bias(graph: Graph, x: str, bias: Tensor | None) -> str:
    return x if bias is None else graph.add("Add", x, graph.constant(_over_space(bias)))


def _winograd(graph: Graph, x: str, weight: Tensor) -> str:
    """Convolve by Winograd's F(4, 3) down the columns: four rows of the result take six products, not twelve.

    Lavin & Gray 2016 (arXiv 1509.09308), in one dimension: half the multiplications, with twice the rounding
    error of a direct convolution; the two-dimensional form has ten times the error. Only operators that
    onnxruntime's CPU provider vectorises are used: the six transformed rows of a tile are depthwise
    convolutions, the products one convolution in six groups along the rows, the output transform one matrix
    product.
    """
    outputs, inputs = weight.shape[:2]
    rows = [
        _transform_rows(graph, x, coefficients, inputs) for coefficients in _INPUT_TRANSFORM
    ]  # 6 of [N, C, t, w + 2]
    products = graph.add(
        "Conv",
        graph.add("Concat", *rows, axis=1),
        _transform_kernel(graph, weight),
        group=6,
        kernel_shape=[1, 3],
    )  # [N, 6 O, t, w]
    flat = graph.add("Reshape", products, graph.integers(0, 6, -1))
    sums = graph.add("MatMul", graph.constant(_OUTPUT_TRANSFORM), flat)  # [N, 4, O t w]
    width = graph.add("Shape", products, start=3)
    shape = graph.add("Concat", graph.integers(0, 4, outputs, -1), width, axis=0)
    tiles = graph.add("Transpose", graph.add("Reshape", sums, shape), perm=[0, 2, 3, 1, 4])  # [N, O, t, 4, w]
    tall = graph.add("Reshape", tiles, graph.add("Concat", graph.integers(0, outputs, -1), width, axis=0))
    height = graph.add("Sub", graph.add("Shape", x, start=2, end=3), graph.integers(2))
    return graph.add("Slice", tall, graph.integers(0), height, graph.integers(2))  # [N, O, h, w]


def _transform_rows(graph: Graph, x: str, coefficients: list[float], channels: int) -> str:
    """Return one transformed row per tile of six rows, a tile every four rows.

    The last tile may extend up to three rows beyond the map.
    """
    kernel = torch.tensor(coefficients)[None, None, :, None].expand(channels, 1, 6, 1)
    weight = graph.constant(kernel)
    return graph.add(
        "Conv", x, weight, group=channels, strides=[4, 1], pads=[0, 0, 3, 0], kernel_shape=[6, 1]
    )


def _transform_kernel(graph: Graph, weight: Tensor) -> str:
    """Return the kernels with six transformed rows, `[6 O, C, 1, 3]`; a runtime computes them when it
    loads."""
    outputs, inputs = weight.shape[:2]
    rows = graph.add("Transpose", graph.constant(weight), perm=[2, 0, 1, 3])  # [3, O, C, 3]
    flat = graph.add("Reshape", rows, graph.integers(3, -1))
    six = graph.add("MatMul", graph.constant(_KERNEL_TRANSFORM), flat)
    return graph.add("Reshape", six, graph.integers(6 * outputs, inputs, 1, 3))


def dense(graph: Graph, x: str, weight: Tensor, bias: Tensor | None = None) -> str:
    """Apply a fully connected layer, `[N, inputs]` to `[N, outputs]`."""
    constants = [graph.constant(tensor) for tensor in (weight, bias) if tensor is not None]
    return graph.add("Gemm", x, *constants, transB=1)


def instance_norm(
    graph: Graph, x: str, channels: int, scale: Tensor | None = None, shift: Tensor | None = None
) -> str:
    """Apply instance normalisation; the scale is 1 and the shift 0 by default."""
    ones = graph.constant(np.ones(channels) if scale is None else scale)
    zeros = graph.constant(np.zeros(channels) if shift is None else shift)
    return graph.add("InstanceNormalization", x, ones, zeros, epsilon=EPSILON)


def normalization(graph: Graph, x: str, norm: nn.Module, style: GammaBeta | None = None) -> str:
    """Apply a normalisation of the decoder; AdaLIN needs `style`, the gamma and beta of the picture."""
    if isinstance(norm, nn.GroupNorm):
        return _group_norm(graph, x, norm)
    assert isinstance(norm, AdaLIN | LIN)
    gamma_beta = style
    if isinstance(norm, LIN):
        gamma_beta = (graph.constant(_over_space(norm.gamma)), graph.constant(_over_space(norm.beta)))
    assert gamma_beta is not None, "AdaLIN needs gamma and beta"
    return _mixed_norm(graph, x, norm, gamma_beta)


def _mixed_norm(graph: Graph, x: str, norm: AdaLIN | LIN, style: GammaBeta) -> str:
    """Apply AdaLIN or LIN as one scale and one shift per channel.

    They are computed from the channels' sums and sums of squares; `layer_instance_norm` of the networks
    explains the algebra.
    """
    gamma, beta = style
    rho = _over_space(norm.mixture.detach().double())
    mean = graph.add("ReduceMean", x, graph.integers(*_SPACE))  # [N, C, 1, 1]
    n = graph.add("ReduceProd", graph.sizes(x, *_SPACE), keepdims=0)
    # OpenVINO writes the squares of ReduceSumSquare to memory, but not those of ReduceL2.
    length = graph.add("ReduceL2", x, graph.integers(*_SPACE))
    square = graph.add("Div", graph.add("Mul", length, length), n)
    layer_mean = graph.add("ReduceMean", mean, graph.integers(1))  # [N, 1, 1, 1]
    layer_square = graph.add("ReduceMean", square, graph.integers(1))
    total = graph.add("Mul", n, graph.constant(float(norm.rho.numel())))

    instance = graph.add(
        "Mul", _inverse_deviation(graph, mean, square, n, norm.unbiased), graph.constant(rho)
    )
    layer_r = _inverse_deviation(graph, layer_mean, layer_square, total, norm.unbiased)
    layer = graph.add("Mul", layer_r, graph.constant(1 - rho))
    scale = graph.add("Mul", gamma, graph.add("Add", instance, layer))
    means = graph.add("Add", graph.add("Mul", instance, mean), graph.add("Mul", layer, layer_mean))
    shift = graph.add("Sub", beta, graph.add("Mul", gamma, means))
    return graph.add("Add", graph.add("Mul", x, scale), shift)


def _inverse_deviation(graph: Graph, mean: str, square: str, count: str, unbiased: bool) -> str:
    """Return 1 / sqrt(variance + epsilon) of values with a mean and a mean square."""
    # Rounding can make the variance of a constant channel negative, and its root NaN.
    variance = graph.add("Relu", graph.add("Sub", square, graph.add("Mul", mean, mean)))
    if unbiased:
        degrees = graph.add("Sub", count, graph.constant(1.0))
        variance = graph.add("Mul", variance, graph.add("Div", count, degrees))
    deviation = graph.add("Sqrt", graph.add("Add", variance, graph.constant(EPSILON)))
    return graph.add("Reciprocal", deviation)


def _group_norm(graph: Graph, x: str, norm: nn.GroupNorm) -> str:
    """Apply group normalisation: instance normalisation of the groups reshaped to channels."""
    groups = graph.add("Reshape", x, graph.integers(0, norm.num_groups, -1))
    normal = graph.add("Reshape", instance_norm(graph, groups, norm.num_groups), graph.add("Shape", x))
    scaled = graph.add("Mul", normal, graph.constant(_over_space(norm.weight)))
    return graph.add("Add", scaled, graph.constant(_over_space(norm.bias)))


def _over_space(per_channel: Tensor) -> Tensor:
    return per_channel[None, :, None, None]


def upsampled_convolution(graph: Graph, x: str, weight: Tensor, bias: Tensor | None = None) -> str:
    """Up-sample x2 by nearest neighbours, pad by reflection and convolve by 3x3, all on the small map.

    An output row depends on two rows of the small map: an even row (2i) on rows i - 1 and i, an odd one
    (2i + 1) on rows i and i + 1. Columns are alike. So each of the four phases is a 2x2 convolution, 4/9 of
    the work, over the small map padded by repeating its edge (the reflection of an up-sampled border is the
    border). The four are one convolution whose output channels are shuffled into place. Odd phases are first
    in the shuffle, because at each position the odd phase is the output row before the even one. The surplus
    row and column on every side are cropped.
    """
    odd_even = [_two_taps(weight.double(), 2, odd=odd) for odd in (True, False)]
    phases = torch.stack([_two_taps(rows, 3, odd=odd) for rows in odd_even for odd in (True, False)], 1)
    biases = None if bias is None else bias.repeat_interleave(4)
    small = convolution(graph, pad(graph, x, 1, "edge"), phases.flatten(0, 1), biases)
    return pad(graph, graph.add("DepthToSpace", small, blocksize=2, mode="CRD"), -1, "constant")


def _two_taps(weight: Tensor, axis: int, *, odd: bool) -> Tensor:
    """Return the three taps along `axis` as the two taps of one phase of the up-sampled map."""
    first, second, third = weight.unbind(axis)
    return torch.stack([first + second, third] if odd else [first, second + third], axis)


def to_three_channels(graph: Graph, x: str, weight: Tensor, bias: Tensor | None = None) -> str:
    """Convolve to three channels: along the rows first, then add down the columns.

    Convolutions are vectorised over output channels, and three fill only part of a vector. A 1 x k
    convolution to 3k channels, one for every row of the kernel, fills it; a fixed k x 1 convolution adds the
    rows.
    """
    outputs, inputs, size, _ = weight.shape
    along_rows = weight.permute(0, 2, 1, 3).reshape(outputs * size, inputs, 1, size)
    down_columns = torch.zeros(outputs, outputs, size, size, 1)
    for row in range(size):
        down_columns[range(outputs), range(outputs), row, row] = 1
    rows = convolution(graph, pad(graph, x, size // 2), along_rows)
    return convolution(graph, rows, down_columns.reshape(outputs, outputs * size, size, 1), bias)
