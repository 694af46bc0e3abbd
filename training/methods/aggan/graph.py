"""Append a masked generator to the ONNX graph of a bundle, operator by operator."""

from __future__ import annotations

from models.networks.aggan import AgganGenerator, AttentionNetwork
from training.export.blocks import write_layers
from training.export.graph import Graph
from training.export.layers import convolution
from training.export.residual_generator import write_image
from training.export.translator import Exported, GraphOutput


def write_generator(graph: Graph, x: str, network: AgganGenerator, *, style: str | None = None) -> Exported:
    """Append a masked generator to a graph.

    Args:
        graph: to append to.
        x: the name of the pictures `[N, 3, H, W]` in [-1, 1].
        network: the generator, in the precision of the constants.
        style: None; a generator takes no style.

    Returns:
        The image, and `attention` `[N, H, W]`: the mask.
    """
    assert style is None
    changed = write_image(graph, x, network.whole_picture)
    mask = _mask(graph, x, network.attention)  # [N, 1, H, W]
    kept = graph.add("Mul", x, graph.add("Sub", graph.constant(1.0), mask))
    image = graph.add("Add", graph.add("Mul", changed, mask), kept)
    flat = graph.add("Squeeze", mask, graph.integers(1))
    return Exported(image, {"attention": GraphOutput(flat, ["H", "W"])})


def _mask(graph: Graph, x: str, network: AttentionNetwork) -> str:
    features = write_layers(graph, x, [network.encoder, network.decoder])
    logits = convolution(graph, features, network.to_mask.weight, network.to_mask.bias)
    return graph.add(
        "Resize",
        graph.add("Sigmoid", logits),
        "",
        graph.constant([1, 1, 4, 4]),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
