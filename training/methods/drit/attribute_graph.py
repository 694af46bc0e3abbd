"""The operators of DRIT's attribute encoders, which encode the style of a reference."""

from __future__ import annotations

from typing import Final

from models.networks.drit.encoders import (
    ATTRIBUTE_SLOPE,
    ConcatAttribute,
    DritStyleEncoder,
    FeatureWiseAttribute,
    HalvingBlock,
)
from training.export.blocks import write_layer, write_layers
from training.export.graph import Graph
from training.export.layers import convolution, dense

_HALVES: Final = {"kernel_shape": [2, 2], "strides": [2, 2]}


def write_style_encoder(graph: Graph, x: str, network: DritStyleEncoder) -> str:
    """Append the encoder of a domain's attributes; return their means `[N, d]`."""
    encoder = network.attribute
    if isinstance(encoder, FeatureWiseAttribute):
        pooled = graph.add("GlobalAveragePool", write_layer(graph, x, encoder.blocks))  # [N, 4c, 1, 1]
        code = convolution(graph, pooled, encoder.attribute.weight, encoder.attribute.bias)
        return graph.add("Flatten", code)
    assert isinstance(encoder, ConcatAttribute)
    x = write_layers(graph, x, [encoder.first])
    for block in encoder.blocks:
        assert isinstance(block, HalvingBlock)
        x = _write_halving(graph, x, block)
    pooled = graph.add("GlobalAveragePool", _leaky(graph, x))
    return dense(graph, graph.add("Flatten", pooled), encoder.mean.weight, encoder.mean.bias)


def _write_halving(graph: Graph, x: str, block: HalvingBlock) -> str:
    hidden = write_layer(graph, _leaky(graph, x), block.first)
    hidden = write_layer(graph, _leaky(graph, hidden), block.second)
    halved = graph.add("AveragePool", x, **_HALVES)
    shortcut = convolution(graph, halved, block.shortcut.weight, block.shortcut.bias)
    return graph.add("Add", graph.add("AveragePool", hidden, **_HALVES), shortcut)


def _leaky(graph: Graph, x: str) -> str:
    return graph.add("LeakyRelu", x, alpha=ATTRIBUTE_SLOPE)
