"""Convolutions that double height and width, as phases: convolutions of the small map, shuffled into place.

An output pixel at an even row depends on fixed rows of the small map, and so does one at an odd row; columns
are alike. So there are four phases, each with its own small kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from models.networks.blocks.up_blocks import Crop
from training.export.graph import Graph
from training.export.layers import convolution, pad, upsampled_convolution

Taps = Callable[[Sequence[Tensor], bool], list[Tensor]]
"""Returns the taps of the small kernel along one axis, from those of the kernel and whether its phase is
odd."""


def repeat(graph: Graph, x: str, scales: Sequence[int] = (1, 1, 2, 2)) -> str:
    """Repeat each value along the axes N, C, H and W, by default so that height and width double."""
    return graph.add(
        "Resize",
        x,
        "",
        graph.constant(list(scales)),
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def convolution_of_repeated(graph: Graph, x: str, weight: Tensor, bias: Tensor | None) -> str:
    """Repeat each value 2x2, pad by reflection and convolve by 3x3 or 5x5, all on the small map."""
    if weight.shape[2] == 3:
        return upsampled_convolution(graph, x, weight, bias)
    assert weight.shape[2] == 5, "other kernels have no phases here"
    inner = _phases(graph, pad(graph, x, 1, "edge"), weight, bias, _taps_of_five)
    return _replace_border(graph, inner, x, weight, bias)


def _taps_of_five(w: Sequence[Tensor], odd: bool) -> list[Tensor]:
    """The five rows around row 2i are the rows i - 1, i - 1, i, i, i + 1 of the small map; those around row
    2i + 1 are i - 1, i, i, i + 1, i + 1."""
    return [w[0], w[1] + w[2], w[3] + w[4]] if odd else [w[0] + w[1], w[2] + w[3], w[4]]


def _replace_border(graph: Graph, inner: str, x: str, weight: Tensor, bias: Tensor | None) -> str:
    """Replace the outermost rows and columns, the only ones for which the edge is not the reflection.

    The row before the first one is reflected to its neighbour, but two rows before lies a value of the second
    row of the small map.
    """
    for axis in (2, 3):
        first, last = (
            _border(graph, x, weight, bias, axis, [1, 0, 0, 0, 1]),
            _border(graph, x, weight, bias, axis, [-2, -1, -1, -1, -2]),
        )
        middle = graph.add("Slice", inner, graph.integers(1), graph.integers(-1), graph.integers(axis))
        inner = graph.add("Concat", first, middle, last, axis=axis)
    return inner


def _border(graph: Graph, x: str, weight: Tensor, bias: Tensor | None, axis: int, rows: Sequence[int]) -> str:
    """Return one row or column of the result, from the five rows or columns of the small map below it."""
    strip = graph.add("Gather", x, graph.integers(*rows), axis=axis)
    scales, pads = ([1, 1, 1, 2], [0, 2]) if axis == 2 else ([1, 1, 2, 1], [2, 0])
    long = repeat(graph, strip, scales)
    padded = graph.add("Pad", long, graph.integers(0, 0, *pads, 0, 0, *pads), mode="reflect")
    return convolution(graph, padded, weight, bias)


def transposed_convolution(graph: Graph, x: str, weight: Tensor, bias: Tensor | None, *, crop: Crop) -> str:
    """Apply a transposed 3x3 convolution with stride 2, whose weight is `[C, K, 3, 3]`."""
    # Tap k of input row i is added to row 2i + k of the full result.
    taps = _taps_after if crop == "start" else _taps_before
    before, after = (0, 1) if crop == "start" else (1, 0)
    return _phases(graph, pad(graph, x, before, "constant", after=after), weight.transpose(0, 1), bias, taps)


def _taps_after(w: Sequence[Tensor], odd: bool) -> list[Tensor]:
    """Row 2i of the cropped result is row 2i + 1 of the full one; it depends on the rows i and i + 1."""
    return [w[2], w[0]] if odd else [w[1], torch.zeros_like(w[1])]


def _taps_before(w: Sequence[Tensor], odd: bool) -> list[Tensor]:
    """Row 2i of the full result depends on the rows i - 1 and i of the small map, row 2i + 1 on i alone."""
    return [torch.zeros_like(w[1]), w[1]] if odd else [w[2], w[0]]


def _phases(graph: Graph, padded: str, weight: Tensor, bias: Tensor | None, taps: Taps) -> str:
    """Convolve a padded map by the four kernels of the phases, and shuffle the results into place."""
    rows = [_along(weight.double(), 2, odd, taps) for odd in (False, True)]
    kernels = torch.stack([_along(each, 3, odd, taps) for each in rows for odd in (False, True)], 1)
    biases = None if bias is None else bias.repeat_interleave(4)
    small = convolution(graph, padded, kernels.flatten(0, 1), biases)  # [N, 4 K, h, w]
    return graph.add("DepthToSpace", small, blocksize=2, mode="CRD")


def _along(weight: Tensor, axis: int, odd: bool, taps: Taps) -> Tensor:
    return torch.stack(taps(weight.unbind(axis), odd), axis)
