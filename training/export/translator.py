"""A translator: one direction of a trained method, as evaluation, samples and export see it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from torch import Tensor, nn

from models.bundle.canary import STYLE
from models.bundle.declarations import HeatMap, Logits
from models.bundle.graph_switches import MIXED, WINOGRAD
from models.bundle.manifest import ImageSize
from models.networks.translation import Translation
from training.export.float32_regions import write_kept_values
from training.export.graph import Graph
from training.export.layers import pixels_to_values, values_to_pixels
from training.export.style_encoding import StyleEncoding


class StylePrior(NamedTuple):
    """The style codes that a translator takes: the standard normal distribution."""

    dimension: int


class GraphOutput(NamedTuple):
    """A further output of an exported graph, such as a heat map."""

    value: str
    """The name of the value in the graph."""
    shape: Sequence[str | int]


class Exported(NamedTuple):
    """The values that a network's operators compute in a graph."""

    image: str
    """The name of the value `[N, 3, H, W]` in [-1, 1]."""
    outputs: Mapping[str, GraphOutput] = {}
    """Further outputs by name, float32."""


class WriteGraph(Protocol):
    """Append a network's operators to a graph."""

    def __call__(self, graph: Graph, x: str, network: Any, *, style: str | None) -> Exported:
        """Return the values of the outputs.

        Args:
            graph: to append to.
            x: the name of the pictures `[N, 3, H, W]` in [-1, 1].
            network: the translator's network, in the precision of the constants.
            style: the name of the style codes `[N, d]`; None for a translator without styles.
        """


class DiscriminatorGraph(NamedTuple):
    """The second graph of a bundle: the discriminators of the target domain, compared with torch."""

    model: bytes
    relative_difference: float
    """The largest relative difference of an output from torch's."""
    architecture: Mapping[str, Any]


def network_outputs(network: nn.Module, pictures: Tensor, *style: Tensor) -> dict[str, Tensor]:
    """Return the outputs of a network that returns a `Translation`, without those that are None."""
    output: Translation = network(pictures, *style)
    return {name: value for name, value in output._asdict().items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class Translator:
    """One direction: a network that translates pictures of the source into the target domain."""

    method: str
    """The name of the method that trained it."""
    title: str
    """The method's name for people, with its paper."""
    source: str
    target: str
    network: nn.Module
    """Takes pictures `[B, 3, H, W]` in [-1, 1], and style codes `[B, d]` if `style` is not None; returns a
    `Translation`. It must translate without random numbers."""
    size: ImageSize
    """The size it was trained at, and whether it takes only that size."""
    architecture: Mapping[str, Any]
    """The shape of the network, for the manifest."""
    shape: str
    """The shape of the network in words, for the model card."""
    write_graph: WriteGraph
    outputs: Callable[..., dict[str, Tensor]] = network_outputs
    """Returns all outputs of an exported graph from the network, pictures and style codes, by name."""
    maps: Sequence[HeatMap] = ()
    """The heat maps among the outputs."""
    logits: Sequence[Logits] = ()
    style: StylePrior | None = None
    """The style codes that it takes; None without."""
    style_encoding: StyleEncoding | None = None
    """How the style code of a reference is computed; None if it cannot be."""
    judge: Callable[[Tensor], Mapping[str, Tensor]] | None = None
    """Returns the heat maps of the discriminators of the target domain for pictures, by output name; None if
    they have none."""
    judged_maps: Sequence[HeatMap] = ()
    """The heat maps that `judge` returns."""
    export_discriminators: Callable[[], DiscriminatorGraph] | None = None
    """Exports the discriminators of the target domain; None if they show no attention."""

    @property
    def direction(self) -> str:
        """The direction by its domains, such as `A2B`."""
        return f"{self.source}2{self.target}"

    def in_float64(self) -> Translator:
        """Return a copy in float64 and in evaluation mode."""
        return replace(self, network=copy.deepcopy(self.network).double().eval())


def export_translator(translator: Translator, *, values: bool = False) -> bytes:
    """Serialize a translator as ONNX.

    Args:
        translator: exported with its weights in the precision that they have.
        values: leave out the conversion from and to pixels: the input is `values` float `[N, 3, H, W]` in
            [-1, 1], and so is the output `image`. Tests use it to measure the rewriting without rounding.

    Returns:
        The model: `pixels` uint8 `[N, H, W, 3]`, with styles also `style` float `[N, d]`, to `image` uint8
        `[N, H, W, 3]` and the translator's further outputs in float32. N is dynamic; H and W too unless the
        size is fixed. A last output only keeps values in float32 (`float32_regions`).
    """
    graph, size = Graph("generator"), translator.size
    graph.switch(WINOGRAD)
    graph.switch(MIXED)
    shape: list[str | int] = [size.height, size.width] if size.fixed else ["H", "W"]
    if values:
        x = graph.input("values", np.float32, ["N", 3, *shape])
    else:
        x = pixels_to_values(graph, graph.input("pixels", np.uint8, ["N", *shape, 3]))
    style = translator.style and graph.input(STYLE, np.float32, ["N", translator.style.dimension])
    exported = translator.write_graph(graph, x, translator.network, style=style)
    for name, (value, dimensions) in exported.outputs.items():
        graph.output(value, name, np.float32, ["N", *dimensions])
    if values:
        graph.output(exported.image, "image", np.float32, ["N", 3, *shape])
    else:
        graph.output(values_to_pixels(graph, exported.image), "image", np.uint8, ["N", *shape, 3])
    write_kept_values(graph)
    return graph.build()
