"""The operators of MUNIT's translators."""

from __future__ import annotations

from torch import nn

from models.networks.blocks.residual_block import ResidualBlock
from models.networks.munit import AdainMLP, MunitTranslator, StyleEncoder
from training.export.blocks import BlockStyles, write_layers, write_residual
from training.export.graph import Graph
from training.export.layers import convolution, dense
from training.export.translator import Exported


def write_munit(graph: Graph, x: str, network: MunitTranslator, *, style: str | None) -> Exported:
    """Append the operators of a content encoder and of a decoder that takes style codes."""
    assert style is not None, "MUNIT's translators take style codes"
    encoder, decoder = network.encoder, network.decoder
    content = write_layers(graph, x, [encoder.down, encoder.blocks])  # [N, 4c, H/4, W/4]
    for block, styles in zip(decoder.blocks, _styles(graph, style, network.mlp), strict=True):
        assert isinstance(block, ResidualBlock)
        content = write_residual(graph, content, block, styles)
    return Exported(write_layers(graph, content, [decoder.upsampling, decoder.to_image]))


def write_style_encoder(graph: Graph, x: str, network: StyleEncoder) -> str:
    """Append the operators of a style encoder; return the codes `[N, S]`."""
    features = write_layers(graph, x, [network.down])  # [N, 4c, H/16, W/16]
    pooled = graph.add("GlobalAveragePool", features)
    return graph.add("Flatten", convolution(graph, pooled, network.to_code.weight, network.to_code.bias))


def _styles(graph: Graph, style: str, mlp: AdainMLP) -> list[BlockStyles]:
    """Append the MLP; return the scale and shift of both normalisations of every block."""
    numbers = style
    for layer in mlp.layers:
        if isinstance(layer, nn.Linear):
            numbers = dense(graph, numbers, layer.weight, layer.bias)
        else:
            numbers = graph.add("Relu", numbers)
    columns = graph.add("Unsqueeze", numbers, graph.integers(2, 3))  # [N, blocks * 2 * 2 * C, 1, 1]

    def part(block: int, norm: int, kind: int) -> str:
        start = ((block * 2 + norm) * 2 + kind) * mlp.channels
        end = graph.integers(start + mlp.channels)
        return graph.add("Slice", columns, graph.integers(start), end, graph.integers(1))  # [N, C, 1, 1]

    # The shifts of a normalisation are stored before its scales.
    return [
        [(part(block, norm, 1), part(block, norm, 0)) for norm in range(2)] for block in range(mlp.blocks)
    ]
