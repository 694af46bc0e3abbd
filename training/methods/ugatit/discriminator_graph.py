"""Export both discriminators of a target domain as one ONNX graph: their logits and their attention."""

from __future__ import annotations

import numpy as np
from torch import nn

from models.bundle.declarations import Network, map_name
from models.networks.discriminator import Discriminator
from training.export.graph import Graph
from training.export.layers import convolution, pad, pixels_to_values
from training.methods.ugatit.cam_graph import class_activation_map


def export_discriminators(local: Discriminator, global_: Discriminator, *, size: int, dynamic: bool) -> bytes:
    """Serialize the local and the global discriminator of one domain as ONNX.

    Args:
        local: the one with fewer layers.
        global_: the one with more layers.
        size: height and width of the pictures in pixels.
        dynamic: accept any other height and width as well.

    Returns:
        The model: `pixels` uint8 `[N, H, W, 3]` to `logit_local` `[N, 1, h', w']`, `cam_logit_local`
        `[N, 2]`, `attention_local` `[N, h, w]` with its parts `attention_average_local`,
        `attention_maximum_local` and `attention_classifier_local`, and the same for `global`, float32.
    """
    graph = Graph("discriminators")
    shape: list[str | int] = ["H", "W"] if dynamic else [size, size]
    x = pixels_to_values(graph, graph.input("pixels", np.uint8, ["N", *shape, 3]))
    pair: dict[Network, Discriminator] = {"local": local, "global": global_}
    for name, discriminator in pair.items():
        _discriminator(graph, x, discriminator, name)
    return graph.build()


def _discriminator(graph: Graph, x: str, discriminator: Discriminator, name: Network) -> None:
    x = _layers(graph, x, discriminator.features)  # [N, C, h, w]
    if discriminator.cam is not None:
        values = class_activation_map(graph, x, discriminator.cam)
        x = values.features
        graph.output(values.cam_logit, f"cam_logit_{name}", np.float32, ["N", 2])
        for part, attention in values.maps.items():
            graph.output(attention, map_name(name, part), np.float32, ["N", f"h_{name}", f"w_{name}"])
    logit = _layers(graph, x, discriminator.to_logit)  # [N, 1, h', w']
    graph.output(logit, f"logit_{name}", np.float32, ["N", 1, f"h_logit_{name}", f"w_logit_{name}"])


def _layers(graph: Graph, x: str, layers: nn.Sequential) -> str:
    for layer in layers:
        if isinstance(layer, nn.ReflectionPad2d):
            before, after = layer.padding[:2]  # rows are padded as columns are
            x = pad(graph, x, before, after=after)
        elif isinstance(layer, nn.Conv2d):
            x = convolution(graph, x, layer.weight, layer.bias, stride=layer.stride[0])
        else:
            assert isinstance(layer, nn.LeakyReLU)
            x = graph.add("LeakyRelu", x, alpha=layer.negative_slope)
    return x
