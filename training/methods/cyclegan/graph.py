"""Append a generator of CycleGAN to the ONNX graph of a bundle."""

from __future__ import annotations

from models.networks.cyclegan import CycleganGenerator
from training.export.blocks import write_layers
from training.export.graph import Graph
from training.export.translator import Exported


def write_generator(
    graph: Graph, x: str, network: CycleganGenerator, *, style: str | None = None
) -> Exported:
    """Append a generator, whose pictures are `[N, 3, H, W]`; it takes no style."""
    assert style is None
    layers = [network.encoder, network.blocks, network.upsampling, network.to_image]
    return Exported(write_layers(graph, x, layers))
