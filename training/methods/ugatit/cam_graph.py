"""The CAM as ONNX operators: features, logits, and the attention with its parts."""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from onnx import TensorProto
from torch import Tensor

from models.bundle.declarations import PARTS, Part
from models.networks.cam import CAM
from training.export.float32_regions import pointwise_convolution
from training.export.graph import Graph
from training.export.layers import convolution, dense


class CAMValues(NamedTuple):
    """The names of the values that a CAM computes."""

    features: str
    """`[N, C, h, w]`."""
    cam_logit: str
    """`[N, 2]`."""
    maps: dict[Part, str]
    """`[N, h, w]` each."""


def class_activation_map(graph: Graph, x: str, cam: CAM) -> CAMValues:
    """Apply the CAM.

    Both weightings, their concatenation and the 1x1 convolution become one 1x1 convolution.
    """
    exact = copy.deepcopy(cam).double()
    pools = (graph.add("GlobalAveragePool", x), graph.add("GlobalMaxPool", x))
    logits = [
        dense(graph, graph.add("Flatten", pool), classifier.weight, classifier.bias)
        for pool, classifier in zip(pools, exact.classifiers, strict=True)
    ]
    cam_logit = graph.add("Concat", *logits, axis=1)
    w_gap, w_gmp = (classifier.weight for classifier in exact.classifiers)
    bias = exact.merge.bias
    assert bias is not None
    features = pointwise_convolution(graph, x, exact.merged_weight(w_gap, w_gmp), bias)
    features = graph.add("LeakyRelu", features, alpha=cam.slope) if cam.slope else graph.add("Relu", features)

    slopes = _slopes(graph, features, cam.slope)
    both = _sum_channels(graph, features, torch.ones_like(bias))
    maps: dict[Part, str] = {
        "both": both,
        **_pool_shares(graph, x, slopes, both, exact),
        "classifier": _sum_channels(graph, x, w_gap[0]),
    }
    shape = graph.add("Concat", graph.integers(0), graph.add("Shape", x, start=2), axis=0)  # [N, h, w]
    return CAMValues(features, cam_logit, {part: graph.add("Reshape", maps[part], shape) for part in PARTS})


def _pool_shares(graph: Graph, x: str, slopes: str, both: str, cam: CAM) -> dict[Part, str]:
    """Return each pool's share of the attention `both`, `[N, 1, h w]`.

    One share takes another 1x1 convolution; the other is what it and the share of the bias leave. The one
    with the smaller weights is computed, because as a difference of larger numbers it would lose digits.
    """
    bias = cam.merge.bias
    assert bias is not None
    halves = cam.weight_halves(*(classifier.weight for classifier in cam.classifiers))
    weights: dict[Part, Tensor] = dict(zip(("average", "maximum"), halves, strict=True))
    smaller, larger = sorted(weights, key=lambda part: float(weights[part].detach().norm()))
    weighted = graph.add("Mul", slopes, convolution(graph, x, weights[smaller]))
    share = _sum_channels(graph, weighted, torch.ones_like(bias))
    rest = graph.add("Sub", graph.add("Sub", both, share), _sum_channels(graph, slopes, bias))
    return {smaller: share, larger: rest}


def _slopes(graph: Graph, features: str, slope: float) -> str:
    """Return the slope of the (leaky) ReLU at each value, from its results: they have the same signs.

    Reading the values before it would keep onnxruntime from fusing it with its convolution.
    """
    positive = graph.add("Greater", features, graph.constant(0.0))
    if slope:
        return graph.add("Where", positive, graph.constant(1.0), graph.constant(slope))
    return graph.add("Cast", positive, to=TensorProto.FLOAT)  # a tenth of the time of Where or Sign


def _sum_channels(graph: Graph, x: str, weights: Tensor) -> str:
    """Return the sum of x `[N, C, h, w]` over the channels, weighted by `weights` `[C]`: `[N, 1, h w]`.

    A matrix product takes onnxruntime's CPU provider a third of the time of a convolution, and a tenth of
    ReduceSum's.
    """
    flat = graph.add("Reshape", x, graph.integers(0, len(weights), -1))  # [N, C, h w]
    return graph.add("MatMul", graph.constant(weights[None]), flat)
