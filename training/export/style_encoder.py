"""Export the encoder of a target domain's styles: the style code of a reference picture."""

from __future__ import annotations

import copy
from typing import Final

import numpy as np
import torch

from models.bundle.canary import MAX_RELATIVE, STYLE, relative_difference
from models.bundle.graph_switches import WINOGRAD, turn_on
from training.export.graph import Graph
from training.export.layers import pixels_to_values
from training.export.parity import ParityError, as_values, cpu_session, picture_batches, run
from training.export.style_encoding import StyleEncoding

_LARGER: Final = 4
"""Rows of the second size that is compared beyond the first, in pixels."""


def export_style_encoder(encoding: StyleEncoding, *, dimension: int, size: int) -> bytes:
    """Serialize a style encoder as ONNX, and compare it with torch in float64.

    Args:
        encoding: the network and its operators.
        dimension: numbers in a code.
        size: the side in pixels of the pictures that are compared.

    Returns:
        The model: `pixels` uint8 `[N, H, W, 3]` to `style` float32 `[N, dimension]`; N, H and W are dynamic.

    Raises:
        ParityError: the codes differ from torch's by more than 1e-3 of their largest value.
    """
    exact = copy.deepcopy(encoding.network).double().eval()
    graph = Graph("style_encoder")
    x = pixels_to_values(graph, graph.input("pixels", np.uint8, ["N", "H", "W", 3]))
    graph.output(encoding.write_graph(graph, x, exact), STYLE, np.float32, ["N", dimension])
    model = graph.build()
    sessions = [cpu_session(model), cpu_session(turn_on(model, WINOGRAD))]
    for pixels in picture_batches([(size, size), (size + _LARGER, size)]):
        with torch.inference_mode():
            expected = exact(as_values(pixels)).numpy()
        off = max(relative_difference(run(session, pixels)[STYLE], expected) for session in sessions)
        if not off <= MAX_RELATIVE:
            raise ParityError(
                f"The exported style encoder differs from torch by {off:.1e}, and nothing was written."
            )
    return model
