"""Export a generator as the ONNX graph of a bundle: uint8 pixels to uint8 pixels."""

from __future__ import annotations

from typing import cast

import numpy as np
from torch import nn

from models.bundle.declarations import map_name
from models.bundle.graph_switches import WINOGRAD
from models.networks.cam import CAM
from models.networks.generator import DecoderBlock, EncoderBlock, Generator
from training.export.cam import class_activation_map
from training.export.graph import Graph
from training.export.layers import (
    GammaBeta,
    convolution,
    dense,
    instance_norm,
    normalization,
    pad,
    pixels_to_values,
    residual_convolution,
    to_three_channels,
    upsampled_convolution,
    values_to_pixels,
)


def export_generator(generator: Generator, *, values: bool = False) -> bytes:
    """Serialize a generator as ONNX.

    Args:
        generator: exported with its weights in the precision that they have.
        values: leave out the conversion from and to pixels: the input is `values` float `[N, 3, H, W]` in
            [-1, 1], and so is the output `image`. Tests use it to measure the rewriting without rounding.

    Returns:
        The model: `pixels` uint8 `[N, H, W, 3]` to `image` uint8 `[N, H, W, 3]`, and with a CAM `cam_logit`
        `[N, 2]` and `attention` `[N, H/4, W/4]` with its parts `attention_average`, `attention_maximum` and
        `attention_classifier`, float32. N is dynamic; H and W too in a light generator.
    """
    graph, size = Graph("generator"), generator.config.size
    graph.switch(WINOGRAD)
    shape: list[str | int] = ["H", "W"] if generator.config.light else [size, size]
    if values:
        x = graph.input("values", np.float32, ["N", 3, *shape])
    else:
        x = pixels_to_values(graph, graph.input("pixels", np.uint8, ["N", *shape, 3]))

    features = _encode(graph, x, generator)  # [N, 4c, H/4, W/4]
    if generator.cam is not None:
        features = _cam(graph, features, generator.cam, generator)
    features = _decode(graph, features, generator)  # [N, c, H, W]
    last = cast("nn.Conv2d", generator.to_image[1])
    image = graph.add("Tanh", to_three_channels(graph, features, last.weight, last.bias))

    if values:
        graph.output(image, "image", np.float32, ["N", 3, *shape])
    else:
        graph.output(values_to_pixels(graph, image), "image", np.uint8, ["N", *shape, 3])
    return graph.build()


def _encode(graph: Graph, x: str, generator: Generator) -> str:
    for layer in generator.encoder:
        if isinstance(layer, nn.Conv2d):
            x = convolution(
                graph, pad(graph, x, layer.kernel_size[0] // 2), layer.weight, stride=layer.stride[0]
            )
        elif isinstance(layer, EncoderBlock):
            x = graph.add("Add", x, _encoder_body(graph, x, layer.body))
        else:
            x = _norm_or_relu(graph, x, layer)
    return x


def _encoder_body(graph: Graph, x: str, body: nn.Sequential) -> str:
    for layer in body:
        if isinstance(layer, nn.Conv2d):
            x = residual_convolution(graph, pad(graph, x, 1), layer.weight)
        else:
            x = _norm_or_relu(graph, x, layer)
    return x


def _norm_or_relu(graph: Graph, x: str, layer: nn.Module) -> str:
    """Export the layer after an encoder's convolution.

    The convolution itself is exported without its bias, because instance normalisation subtracts it again as
    part of the mean.
    """
    if isinstance(layer, nn.InstanceNorm2d):
        return instance_norm(graph, x, layer.num_features, layer.weight, layer.bias)
    assert isinstance(layer, nn.ReLU | nn.ReflectionPad2d), layer
    return graph.add("Relu", x) if isinstance(layer, nn.ReLU) else x


def _cam(graph: Graph, features: str, cam: CAM, generator: Generator) -> str:
    values = class_activation_map(graph, features, cam)
    quarter: list[str | int] = ["h", "w"] if generator.config.light else [generator.config.size // 4] * 2
    graph.output(values.cam_logit, "cam_logit", np.float32, ["N", 2])
    for part, attention in values.maps.items():
        graph.output(attention, map_name("generator", part), np.float32, ["N", *quarter])
    return values.features


def _decode(graph: Graph, x: str, generator: Generator) -> str:
    style = _style(graph, x, generator)
    for block in generator.decoder:
        x = _decoder_block(graph, x, cast("DecoderBlock", block), style)
    for layer in generator.upsampling:
        if isinstance(layer, nn.Conv2d):
            x = upsampled_convolution(graph, x, layer.weight, layer.bias)
        elif isinstance(layer, nn.ReLU):
            x = graph.add("Relu", x)
        elif not isinstance(layer, nn.Upsample | nn.ReflectionPad2d):
            x = normalization(graph, x, layer)
    return x


def _style(graph: Graph, features: str, generator: Generator) -> GammaBeta | None:
    if generator.style is None:
        return None
    pooled = graph.add("GlobalAveragePool", features) if generator.config.light else features
    hidden = graph.add("Flatten", pooled)
    for layer in generator.style.hidden:
        if isinstance(layer, nn.Linear):
            hidden = dense(graph, hidden, layer.weight, layer.bias)
        else:
            hidden = graph.add("Relu", hidden)
    gamma, beta = (
        dense(graph, hidden, layer.weight, layer.bias)
        for layer in (generator.style.gamma, generator.style.beta)
    )
    axes = graph.integers(2, 3)
    return graph.add("Unsqueeze", gamma, axes), graph.add("Unsqueeze", beta, axes)


def _decoder_block(graph: Graph, x: str, block: DecoderBlock, style: GammaBeta | None) -> str:
    hidden = residual_convolution(graph, pad(graph, x, 1), block.conv1.weight, block.conv1.bias)
    hidden = graph.add("Relu", normalization(graph, hidden, block.norm1, style))
    hidden = residual_convolution(graph, pad(graph, hidden, 1), block.conv2.weight, block.conv2.bias)
    return graph.add("Add", x, normalization(graph, hidden, block.norm2, style))
