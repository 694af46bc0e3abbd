"""The variables of the official TensorFlow networks: their names, shapes, and which parameter takes each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import _SpectralNorm

from models.networks.cam import raw_weight
from models.networks.config import DiscriminatorConfig, GeneratorConfig
from models.networks.discriminator import Discriminator
from models.networks.generator import Generator
from models.networks.normalization import LIN, AdaLIN

_BLOCK: Final = 16
"""Channels of a block: as many float32 values as a line of the cache has."""


class Variable(NamedTuple):
    """A variable of a TensorFlow checkpoint."""

    shape: tuple[int, ...]
    """In the checkpoint."""
    parameter: Tensor
    """Ours, which takes the values."""
    positions: int | None = None
    """Of a kernel, height times width: its values are [positions, in, out] there and [out, in, positions]
    here."""

    def fill(self, values: Tensor) -> None:
        """Copy the values of the checkpoint into our parameter."""
        if self.positions is None:
            self.parameter.copy_(values.view(self.parameter.shape))
        else:
            outputs = len(self.parameter)
            theirs = values.view(self.positions, -1, outputs)
            _reverse_axes(theirs, self.parameter.view(outputs, -1, self.positions))


def _reverse_axes(source: Tensor, target: Tensor) -> None:
    """Copy [P, in, out] to [out, in, P] block by block: at once, every value would miss the cache."""
    for out in range(0, target.shape[0], _BLOCK):
        for each in range(0, target.shape[1], _BLOCK):
            rows, columns = slice(out, out + _BLOCK), slice(each, each + _BLOCK)
            target[rows, columns].copy_(source[:, columns, rows].permute(2, 1, 0))


def generator_variables(scope: str, generator: Generator) -> dict[str, Variable]:
    """Return every variable of a generator by its name in the checkpoint."""
    return _variables(scope, generator, _generator_layers(generator.config))


def discriminator_variables(scope: str, discriminator: Discriminator) -> dict[str, Variable]:
    """Return every variable of a discriminator by its name in the checkpoint."""
    return _variables(scope, discriminator, _discriminator_layers(discriminator.config))


@torch.no_grad()
def advance_spectral_norm(discriminator: Discriminator) -> None:
    """Compute both singular vectors of every spectral norm by one iteration from the stored u.

    The TensorFlow code stores only u, and does this iteration in every pass: v from u, then u from v.
    """
    for module in discriminator.modules():
        norm = _spectral_norm(module)
        if norm is not None:
            kernel = raw_weight(module).flatten(1)  # [out, in * h * w]
            norm._v.copy_(nn.functional.normalize(kernel.mT @ norm._u, dim=0, eps=norm.eps))
            norm._u.copy_(nn.functional.normalize(kernel @ norm._v, dim=0, eps=norm.eps))


def _generator_layers(config: GeneratorConfig) -> Iterator[tuple[str, str]]:
    """Yield the name of each layer in the checkpoint, and in our generator."""
    for number, end in enumerate(("", "_0", "_1")):
        yield f"conv{end}/conv2d", f"encoder.{4 * number + 1}"
        yield f"ins_norm{end}", f"encoder.{4 * number + 2}"
    for block in range(config.blocks):
        for part, first in (("res1", 1), ("res2", 5)):
            yield f"resblock_{block}/{part}/conv_0/conv2d", f"encoder.{12 + block}.body.{first}"
            yield f"resblock_{block}/{part}/instance_norm", f"encoder.{12 + block}.body.{first + 1}"
    yield "CAM_logit", "cam.classifier"
    yield "conv_1x1/conv2d", "cam.merge"
    yield "MLP/linear_0/dense", "style.hidden.0"
    yield "MLP/linear_1/dense", "style.hidden.2"
    yield "MLP/gamma/dense", "style.gamma"
    yield "MLP/beta/dense", "style.beta"
    for block in range(config.blocks):
        for number in (1, 2):
            scope = f"adaptive_resblock{block}/res{number}"
            yield f"{scope}/conv_0/conv2d", f"decoder.{block}.conv{number}"
            yield f"{scope}/instance_layer_norm", f"decoder.{block}.norm{number}"
    for number in (0, 1):
        yield f"up_conv_{number}/conv2d", f"upsampling.{5 * number + 2}"
        yield f"layer_ins_norm_{number}", f"upsampling.{5 * number + 3}"
    yield "G_logit/conv2d", "to_image.1"


def _discriminator_layers(config: DiscriminatorConfig) -> Iterator[tuple[str, str]]:
    """Yield the name of each layer in the checkpoint, and in our discriminator."""
    end = "" if config.spectral_norm else "/conv2d"
    strided = config.layers - 2
    for number in range(strided):
        yield f"conv_{number}{end}", f"features.{3 * number + 1}"
    yield f"conv_last{end}", f"features.{3 * strided + 1}"
    yield "CAM_logit", "cam.classifier"
    yield "conv_1x1/conv2d", "cam.merge"
    yield f"D_logit{end}", "to_logit.1"


def _variables(
    scope: str, network: Generator | Discriminator, layers: Iterator[tuple[str, str]]
) -> dict[str, Variable]:
    variables = {
        f"{scope}/{theirs}/{name}": variable
        for theirs, ours in layers
        for name, variable in _of_layer(network, ours).items()
    }
    converted = sum(each.parameter.numel() for name, each in variables.items() if not name.endswith("/u"))
    expected = sum(parameter.numel() for parameter in network.parameters())
    assert converted == expected, "every parameter must have one variable"
    return variables


def _of_layer(network: Generator | Discriminator, name: str) -> dict[str, Variable]:
    """Return the variables of one layer by their last names."""
    layer = network.get_submodule(name)
    if isinstance(layer, nn.Conv2d | nn.Linear):
        found = {"kernel": _kernel(layer, _flattened_side(network, name))}
        found |= {"bias": _same(layer.bias)} if layer.bias is not None else {}
        norm = _spectral_norm(layer)
        return found | ({"u": _same(norm._u[None])} if norm is not None else {})
    if isinstance(layer, LIN):
        return {"rho": _same(layer.rho), "gamma": _same(layer.gamma), "beta": _same(layer.beta)}
    if isinstance(layer, AdaLIN):
        return {"rho": _same(layer.rho)}
    assert isinstance(layer, nn.InstanceNorm2d), layer
    return {"gamma": _same(layer.weight), "beta": _same(layer.bias)}


def _same(ours: Tensor) -> Variable:
    return Variable(tuple(ours.shape), ours.detach())


def _kernel(layer: nn.Conv2d | nn.Linear, flattened_side: int | None) -> Variable:
    """Return a kernel: [h, w, in, out] of a convolution, [in, out] of a fully connected layer.

    The features before the first layer of the full generator's MLP are flattened as (h, w, in) there and as
    (in, h, w) here.
    """
    weight = raw_weight(layer).detach()
    outputs, inputs, *window = weight.shape
    positions = math.prod(window) if flattened_side is None else flattened_side**2
    return Variable((*window, inputs, outputs), weight, positions)


def _flattened_side(network: Generator | Discriminator, name: str) -> int | None:
    """Return height and width of the flattened features if they are a layer's input."""
    if isinstance(network, Discriminator) or network.config.light or name != "style.hidden.0":
        return None
    return network.config.size // 4


def _spectral_norm(layer: nn.Module) -> _SpectralNorm | None:
    """Return the spectral norm of a layer that has one."""
    parametrizations = getattr(layer, "parametrizations", None)
    return None if parametrizations is None else parametrizations.weight[0]
