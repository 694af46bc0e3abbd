"""Append a generator of residual blocks to the ONNX graph of a bundle."""

from __future__ import annotations

from models.networks.blocks.residual_generator import ResidualGenerator
from training.export.blocks import write_layers
from training.export.graph import Graph
from training.export.translator import Exported


def write_generator(
    graph: Graph, x: str, network: ResidualGenerator, *, style: str | None = None
) -> Exported:
    """Append a generator; x is the name of the pictures `[N, 3, H, W]` in [-1, 1], and it takes no style."""
    assert style is None
    return Exported(write_image(graph, x, network))


def write_image(graph: Graph, x: str, network: ResidualGenerator) -> str:
    """Append a generator and return the name of its pictures."""
    return write_layers(graph, x, [network.encoder, network.blocks, network.upsampling, network.to_image])
