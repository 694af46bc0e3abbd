"""Append a generator to the ONNX graph of a bundle, operator by operator."""

from __future__ import annotations

from functools import partial
from typing import cast

from torch import nn

from models.bundle.declarations import map_name
from models.networks.config import GeneratorConfig
from models.networks.generator import DecoderBlock, EncoderBlock, Generator
from training.export.float32_regions import accumulate, keep, pixel_convolution
from training.export.graph import Graph
from training.export.layers import (
    GammaBeta,
    convolution,
    dense,
    instance_norm,
    normalization,
    pad,
    residual_convolution,
    to_three_channels,
    upsampled_convolution,
)
from training.export.translator import Exported, GraphOutput
from training.methods.ugatit.cam_graph import CAMValues, class_activation_map


def write_generator(graph: Graph, x: str, network: Generator, *, style: str | None = None) -> Exported:
    """Append a generator to a graph.

    Args:
        graph: to append to.
        x: the name of the pictures `[N, 3, H, W]` in [-1, 1].
        network: the generator, in the precision of the constants.
        style: None; a generator takes no style.

    Returns:
        The image; with a CAM also `cam_logit` `[N, 2]` and `attention` `[N, H/4, W/4]` with its parts
        `attention_average`, `attention_maximum` and `attention_classifier`.
    """
    assert style is None
    features = _encode(graph, x, network)  # [N, 4c, H/4, W/4]
    outputs: dict[str, GraphOutput] = {}
    if network.cam is not None:
        values = class_activation_map(graph, features, network.cam)
        features, outputs = values.features, _cam_outputs(values, network.config)
    features = _decode(graph, features, network)  # [N, c, H, W]
    last = cast("nn.Conv2d", network.to_image[1])
    image = graph.add("Tanh", to_three_channels(graph, features, last.weight, last.bias))
    return Exported(image, outputs)


def _cam_outputs(values: CAMValues, config: GeneratorConfig) -> dict[str, GraphOutput]:
    quarter: list[str | int] = ["h", "w"] if config.light else [config.size // 4] * 2
    maps = {map_name("generator", part): GraphOutput(each, quarter) for part, each in values.maps.items()}
    return {"cam_logit": GraphOutput(values.cam_logit, [2]), **maps}


def _encode(graph: Graph, x: str, generator: Generator) -> str:
    for layer in generator.encoder:
        if isinstance(layer, nn.Conv2d):
            x = accumulate(graph, _encoder_convolution(graph, x, layer))
        elif isinstance(layer, EncoderBlock):
            x = keep(graph, graph.add("Add", x, _encoder_body(graph, x, layer.body)))
        else:
            x = _norm_or_relu(graph, x, layer)
    return x


def _encoder_convolution(graph: Graph, x: str, conv: nn.Conv2d) -> str:
    padded = partial(pad, graph, size=conv.kernel_size[0] // 2)
    if conv.in_channels == 3:
        return pixel_convolution(graph, x, conv.weight, None, padded=padded, stride=conv.stride[0])
    return convolution(graph, padded(x), conv.weight, stride=conv.stride[0])


def _encoder_body(graph: Graph, x: str, body: nn.Sequential) -> str:
    for layer in body:
        if isinstance(layer, nn.Conv2d):
            x = accumulate(graph, residual_convolution(graph, pad(graph, x, 1), layer.weight))
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
    return keep(graph, graph.add("Relu", x)) if isinstance(layer, nn.ReLU) else x


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
    hidden = _convolved(graph, x, block.conv1)
    hidden = keep(graph, graph.add("Relu", normalization(graph, hidden, block.norm1, style)))
    hidden = normalization(graph, _convolved(graph, hidden, block.conv2), block.norm2, style)
    return keep(graph, graph.add("Add", x, hidden))


def _convolved(graph: Graph, x: str, conv: nn.Conv2d) -> str:
    return accumulate(graph, residual_convolution(graph, pad(graph, x, 1), conv.weight, conv.bias))
