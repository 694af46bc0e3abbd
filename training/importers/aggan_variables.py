"""The variables of AGGAN's TensorFlow networks: their names, shapes, and which parameter takes each."""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor, nn

from models.networks.aggan import AgganDiscriminator, AttentionNetwork, WholePictureGenerator
from training.importers.tensorflow_variables import Variable

AgganNetwork = WholePictureGenerator | AttentionNetwork | AgganDiscriminator


def aggan_variables(scope: str, network: AgganNetwork) -> dict[str, Variable]:
    """Return every variable that a network uses, by its name in the checkpoint.

    Args:
        scope: such as `Model/g_A`.
        network: takes the values.
    """
    variables: dict[str, Variable] = {}
    for theirs, ours in _layers(network):
        layer = network.get_submodule(ours)
        if isinstance(layer, nn.InstanceNorm2d):
            names = {"scale": _same(layer.weight), "offset": _same(layer.bias)}
        else:
            assert isinstance(layer, nn.Conv2d | nn.ConvTranspose2d), layer
            assert layer.bias is not None
            names = {"weights": _kernel(layer.weight), "biases": _same(layer.bias)}
        variables |= {f"{scope}/{theirs}/{name}": variable for name, variable in names.items()}
    converted = sum(each.parameter.numel() for each in variables.values())
    assert converted == sum(each.numel() for each in network.parameters()), "each parameter has one variable"
    return variables


def unused_variables(scope: str, network: AgganNetwork) -> set[str]:
    """Return the names of the variables that the official code creates and never uses."""
    last = "c5" if isinstance(network, AgganDiscriminator) else "c6"
    return {f"{scope}/{last}/instance_norm/{name}" for name in ("scale", "offset")}


def _layers(network: AgganNetwork) -> Iterator[tuple[str, str]]:
    """Yield the scope of each layer in the checkpoint, and its name here."""
    if isinstance(network, AgganDiscriminator):
        for number in range(4):
            yield from _block(f"c{number + 1}", f"blocks.{number}")
        yield "c5/Conv", "blocks.4.conv"
    elif isinstance(network, AttentionNetwork):
        yield from _block("c1", "encoder.0")
        yield from _block("c2", "encoder.1")
        yield from _residual_block("r1", "encoder.2")
        yield from _block("c4", "decoder.0")
        yield from _block("c5", "decoder.1")
        yield "c6/Conv", "to_mask"
    else:
        for number in range(3):
            yield from _block(f"c{number + 1}", f"encoder.{number}")
        for number in range(len(network.blocks)):
            yield from _residual_block(f"r{number + 1}", f"blocks.{number}")
        for number in range(2):
            yield f"c{number + 4}/Conv2d_transpose", f"upsampling.{number}.up.conv"
            yield f"c{number + 4}/instance_norm", f"upsampling.{number}.norm"
        yield "c6/Conv", "to_image.conv"


def _residual_block(scope: str, name: str) -> Iterator[tuple[str, str]]:
    yield from _block(f"{scope}/c1", f"{name}.first")
    yield from _block(f"{scope}/c2", f"{name}.second")


def _block(scope: str, name: str) -> Iterator[tuple[str, str]]:
    yield f"{scope}/Conv", f"{name}.conv"
    yield f"{scope}/instance_norm", f"{name}.norm"


def _same(ours: Tensor) -> Variable:
    return Variable(tuple(ours.shape), ours.detach())


def _kernel(weight: Tensor) -> Variable:
    """Return a kernel: [h, w, in, out] there, [h, w, out, in] if transposed; here, both are reversed."""
    first, second, *window = weight.shape
    return Variable((*window, second, first), weight.detach(), math.prod(window))
