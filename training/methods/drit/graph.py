"""Append a DRIT translator to the ONNX graph of a bundle, operator by operator."""

from __future__ import annotations

from torch import Tensor, nn

from models.networks.drit.generator import (
    FEATURE_WISE_BLOCKS,
    ConcatDecoder,
    DritTranslator,
    FeatureWiseDecoder,
    Mix,
    MixingBlock,
)
from training.export.blocks import write_layer, write_layers
from training.export.graph import Graph
from training.export.layers import convolution, dense
from training.export.translator import Exported


def write_translator(graph: Graph, x: str, network: DritTranslator, *, style: str | None = None) -> Exported:
    """Append a translator to a graph.

    Args:
        graph: to append to.
        x: the name of the pictures `[N, 3, H, W]` in [-1, 1].
        network: the translator, in the precision of the constants.
        style: the name of the attributes `[N, d]`.
    """
    assert style is not None
    content = write_layers(graph, x, [network.encoder.private[network.source], network.encoder.shared])
    decoder, shared = network.generator.private[network.target], network.generator.shared
    if isinstance(decoder, ConcatDecoder):
        assert shared is not None
        return Exported(_concat(graph, write_layer(graph, content, shared), style, decoder))
    assert isinstance(decoder, FeatureWiseDecoder)
    return Exported(_feature_wise(graph, content, style, decoder))


def _concat(graph: Graph, x: str, style: str, decoder: ConcatDecoder) -> str:
    code = graph.add("Unsqueeze", style, graph.integers(2, 3))  # [N, d, 1, 1]
    for stage in (decoder.blocks, decoder.up1, decoder.up2):
        x = write_layer(graph, _append(graph, x, code), stage)
    last = decoder.to_image
    return graph.add("Tanh", convolution(graph, _append(graph, x, code), last.weight, last.bias))


def _append(graph: Graph, x: str, code: str) -> str:
    """Return a map with a code as constant channels."""
    space = graph.add("Shape", x, start=2)
    shape = graph.add("Concat", graph.integers(1, 1), space, axis=0)
    return graph.add("Concat", x, graph.add("Expand", code, shape), axis=1)


def _feature_wise(graph: Graph, x: str, style: str, decoder: FeatureWiseDecoder) -> str:
    hidden = style
    for layer in decoder.mlp:
        if isinstance(layer, nn.Linear):
            hidden = dense(graph, hidden, layer.weight, layer.bias)
        else:
            hidden = graph.add("Relu", hidden)
    features = decoder.to_image.in_channels * 4
    for number, block in enumerate(decoder.blocks):
        assert isinstance(block, MixingBlock)
        ends = graph.integers(number * features), graph.integers((number + 1) * features)
        part = graph.add("Slice", hidden, *ends, graph.integers(1))  # [N, 4c]
        x = graph.add("Add", x, _mixing_body(graph, x, part, block))
    x = write_layers(graph, x, [decoder.up1, decoder.up2])
    assert number + 1 == FEATURE_WISE_BLOCKS
    return graph.add("Tanh", convolution(graph, x, decoder.to_image.weight, decoder.to_image.bias))


def _mixing_body(graph: Graph, x: str, part: str, block: MixingBlock) -> str:
    hidden = _mix(graph, write_layer(graph, x, block.conv1), part, block.mix1)
    return _mix(graph, write_layer(graph, hidden, block.conv2), part, block.mix2)


def _mix(graph: Graph, x: str, part: str, mix: Mix) -> str:
    """Apply both 1x1 convolutions; the half of the weights for the attribute is a product per picture."""
    for_x, for_part = mix.both.weight.chunk(2, 1)
    shift = dense(graph, part, _flat(for_part), mix.both.bias)  # [N, 2C]
    shift = graph.add("Unsqueeze", shift, graph.integers(2, 3))
    hidden = graph.add("Relu", graph.add("Add", convolution(graph, x, for_x), shift))
    return graph.add("Relu", convolution(graph, hidden, mix.features.weight, mix.features.bias))


def _flat(weight: Tensor) -> Tensor:
    return weight.flatten(1)
