"""Append CartoonGAN's generator to the ONNX graph of a bundle."""

from __future__ import annotations

from models.networks.cartoongan import CartoonganGenerator
from training.export.blocks import write_layers
from training.export.graph import Graph
from training.export.translator import Exported


def write_generator(
    graph: Graph, x: str, network: CartoonganGenerator, *, style: str | None = None
) -> Exported:
    """Append a generator to a graph; x is the name of the pictures `[N, 3, H, W]` in [-1, 1]."""
    assert style is None
    layers = [network.encoder, network.blocks, network.upsampling, network.to_image]
    return Exported(write_layers(graph, x, layers))
