"""The shared parts of networks as ONNX operators: the same functions, rewritten where that is faster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from torch import Tensor, nn

from models.networks.blocks.convolution_block import ConvBlock
from models.networks.blocks.munit_layer_norm import MunitLayerNorm
from models.networks.blocks.residual_block import ResidualBlock
from models.networks.blocks.up_blocks import NearestUp, TransposedConv, TransposedPairUp, TransposedUp
from models.networks.normalization import EPSILON
from training.export.float32_regions import accumulate, keep, pixel_convolution
from training.export.graph import Graph
from training.export.layers import (
    GammaBeta,
    convolution,
    instance_norm,
    normalization,
    pad,
    residual_convolution,
    to_three_channels,
)
from training.export.upsampling import convolution_of_repeated, repeat, transposed_convolution

BlockStyles = Sequence[GammaBeta]
"""The scale and the shift of both normalisations of a residual block."""


def write_layers(graph: Graph, x: str, layers: Iterable[nn.Module]) -> str:
    """Append layers that need no style."""
    for layer in layers:
        x = write_layer(graph, x, layer)
    return x


def write_layer(graph: Graph, x: str, layer: nn.Module) -> str:
    """Append one block that needs no style, or a sequence of them."""
    match layer:
        case nn.Sequential() | nn.ModuleList():
            return write_layers(graph, x, layer)
        case ResidualBlock():
            return write_residual(graph, x, layer)
        case ConvBlock():
            return write_convolution(graph, x, layer)
        case TransposedUp():
            return _finish(graph, _transposed(graph, x, layer.up, layer.norm), layer.norm, layer.activation)
        case TransposedPairUp():
            return write_convolution(graph, _transposed(graph, x, layer.up, None), layer.block)
    raise TypeError(f"A graph has no operators for {type(layer).__name__}.")


def write_residual(graph: Graph, x: str, block: ResidualBlock, styles: BlockStyles | None = None) -> str:
    """Append a residual block; adaptive normalisations need the styles of both."""
    first, second = (None, None) if styles is None else styles
    hidden = write_convolution(graph, x, block.first, first)
    result = graph.add("Add", x, write_convolution(graph, hidden, block.second, second))
    return keep(graph, graph.add("Relu", result) if block.relu_after_sum else result)


def write_convolution(graph: Graph, x: str, block: ConvBlock, style: GammaBeta | None = None) -> str:
    """Append a convolution with its padding, normalisation and activation."""
    convolved = _convolved(graph, x, block)
    if block.norm is not None and not isinstance(block, NearestUp):
        return keep(graph, _finish(graph, accumulate(graph, convolved), block.norm, block.activation, style))
    if not (isinstance(block, NearestUp) and block.conv.kernel_size == (1, 1)):
        return _finish(graph, convolved, block.norm, block.activation, style)
    # A 1x1 convolution treats repeated values alike, so it comes before the repetition. So does instance
    # normalisation, whose biased variance is the same for repeated values.
    if isinstance(block.norm, nn.InstanceNorm2d):
        return repeat(graph, _finish(graph, convolved, block.norm, block.activation))
    return _finish(graph, repeat(graph, convolved), block.norm, block.activation, style)


def write_norm(graph: Graph, x: str, norm: nn.Module, style: GammaBeta | None = None) -> str:
    """Append a normalisation; an adaptive one needs its scale and shift, `[N, C, 1, 1]` each."""
    if isinstance(norm, nn.InstanceNorm2d):
        return instance_norm(graph, x, norm.num_features, norm.weight, norm.bias)
    if isinstance(norm, MunitLayerNorm):
        return _munit_layer_norm(graph, x, norm)
    return normalization(graph, x, norm, style)


def _convolved(graph: Graph, x: str, block: ConvBlock) -> str:
    conv, kernel = block.conv, block.conv.kernel_size[0]
    bias = _bias(conv, block.norm)
    padding = [layer for layer in block.before if not isinstance(layer, nn.Upsample)]
    if isinstance(block, NearestUp) and kernel > 1:
        (reflected,) = padding
        assert isinstance(reflected, nn.ReflectionPad2d), "a repeated map is padded by reflection"
        return convolution_of_repeated(graph, x, conv.weight, bias)
    if kernel == 7 and conv.out_channels == 3 and _reflects(padding, 3):
        return to_three_channels(graph, x, conv.weight, bias)
    (inside, _) = _pair(conv.padding)
    if conv.in_channels == 3 and not inside:
        padded = partial(_all_padded, graph, padding)
        return pixel_convolution(graph, x, conv.weight, bias, padded=padded, stride=conv.stride[0])
    x = _all_padded(graph, padding, x)
    if kernel == 3 and conv.stride == (1, 1) and _reflects(padding, 1):
        return residual_convolution(graph, x, conv.weight, bias)
    return convolution(graph, x, conv.weight, bias, stride=conv.stride[0], padding=inside)


def _finish(
    graph: Graph,
    x: str,
    norm: nn.Module | None,
    activation: nn.Module | None,
    style: GammaBeta | None = None,
) -> str:
    if norm is not None:
        x = write_norm(graph, x, norm, style)
    return x if activation is None else write_activation(graph, x, activation)


def write_activation(graph: Graph, x: str, activation: nn.Module) -> str:
    """Append an activation."""
    match activation:
        case nn.ReLU():
            return graph.add("Relu", x)
        case nn.LeakyReLU():
            return graph.add("LeakyRelu", x, alpha=activation.negative_slope)
        case nn.Tanh():
            return graph.add("Tanh", x)
        case nn.Sigmoid():
            return graph.add("Sigmoid", x)
    raise TypeError(f"A graph has no operator for {type(activation).__name__}.")


def _transposed(graph: Graph, x: str, up: TransposedConv, norm: nn.Module | None) -> str:
    return transposed_convolution(graph, x, up.conv.weight, _bias(up.conv, norm), crop=up.crop)


def _bias(conv: nn.Conv2d | nn.ConvTranspose2d, norm: nn.Module | None) -> Tensor | None:
    """Return a convolution's bias; None where instance normalisation subtracts it with the mean."""
    return None if isinstance(norm, nn.InstanceNorm2d) else conv.bias


def _reflects(padding: Sequence[nn.Module], size: int) -> bool:
    """Return whether the padding is a reflection by `size` on every side."""
    return [layer.padding for layer in padding if isinstance(layer, nn.ReflectionPad2d)] == [(size,) * 4]


def _all_padded(graph: Graph, padding: Sequence[nn.Module], x: str) -> str:
    for layer in padding:
        x = _padded(graph, x, layer)
    return x


def _padded(graph: Graph, x: str, layer: nn.Module) -> str:
    assert isinstance(layer, nn.ReflectionPad2d | nn.ZeroPad2d), layer
    left, right, top, bottom = layer.padding
    assert (left, right) == (top, bottom), "rows and columns are padded alike"
    mode = "reflect" if isinstance(layer, nn.ReflectionPad2d) else "constant"
    return pad(graph, x, left, mode, after=right)


def _pair(padding: str | tuple[int, ...]) -> tuple[int, int]:
    assert not isinstance(padding, str)
    return padding[0], padding[1]


def _munit_layer_norm(graph: Graph, x: str, norm: MunitLayerNorm) -> str:
    """Apply `(x - mean) / (std + eps) * gamma + beta` as one scale and one shift per channel."""
    axes = graph.integers(1, 2, 3)
    mean = graph.add("ReduceMean", x, axes)  # [N, 1, 1, 1]
    count = graph.add("ReduceProd", graph.sizes(x, 1, 2, 3), keepdims=0)
    square = graph.add("Div", graph.add("ReduceSumSquare", x, axes), count)
    # Rounding can make the variance of a constant map negative, and its root NaN.
    variance = graph.add("Relu", graph.add("Sub", square, graph.add("Mul", mean, mean)))
    unbiased = graph.add("Div", count, graph.add("Sub", count, graph.constant(1.0)))
    deviation = graph.add("Sqrt", graph.add("Mul", variance, unbiased))
    gamma, beta = (graph.constant(each[None, :, None, None]) for each in (norm.gamma, norm.beta))
    scale = graph.add("Div", gamma, graph.add("Add", deviation, graph.constant(EPSILON)))  # [N, C, 1, 1]
    shift = graph.add("Sub", beta, graph.add("Mul", scale, mean))
    return graph.add("Add", graph.add("Mul", x, scale), shift)
