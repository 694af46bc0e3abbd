"""Small ONNX translators in the conventions that people export."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from training.wrapping.convention import RANGES, Channels, Layout, RangeName


class Translator(NamedTuple):
    """A translator that mixes the colours by a matrix and keeps a bit of contrast."""

    layout: Layout = "nchw"
    channels: Channels = "rgb"
    range: RangeName = "-1,1"
    opset: int = 17
    batch: int | None = None
    size: int | None = None
    half: bool = False
    last: str | None = None
    """The last operator; Tanh or Sigmoid."""
    mask: bool = False
    mixes_batch: bool = False
    """Subtract the mean over the batch, as a batch normalisation in training mode does."""


COLOURS = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.0, 0.4, 0.6]], np.float32)


def translator(kind: Translator) -> onnx.ModelProto:
    """Return the model."""
    dtype = TensorProto.FLOAT16 if kind.half else TensorProto.FLOAT
    numpy_type = np.float16 if kind.half else np.float32
    batch, side = kind.batch or "batch", kind.size or "side"
    width = kind.size or "width"
    shape = [batch, 3, side, width] if kind.layout == "nchw" else [batch, side, width, 3]
    low, high = RANGES[kind.range]
    middle = (low + high) / 2
    constants = {
        "colours": COLOURS.T.astype(numpy_type),
        "half_way": np.array(middle, numpy_type),
        "gain": np.array(0.9, numpy_type),
    }
    nodes = []
    x = "input"
    if kind.layout == "nchw":
        nodes.append(helper.make_node("Transpose", [x], ["last_axis"], perm=[0, 2, 3, 1]))
        x = "last_axis"
    nodes += [
        helper.make_node("Sub", [x, "half_way"], ["centred"]),
        helper.make_node("MatMul", ["centred", "colours"], ["mixed"]),
        helper.make_node("Mul", ["mixed", "gain"], ["scaled"]),
    ]
    x = "scaled"
    if kind.mixes_batch:
        nodes.append(helper.make_node("ReduceMean", [x], ["mean"], axes=[0], keepdims=1))
        nodes.append(helper.make_node("Sub", [x, "mean"], ["without_mean"]))
        x = "without_mean"
    if kind.last is not None:
        nodes.append(helper.make_node(kind.last, [x], ["squashed"]))
        x = "squashed"
    if kind.last is None:
        nodes.append(helper.make_node("Add", [x, "half_way"], ["back"]))
        x = "back"
    if kind.layout == "nchw":
        nodes.append(helper.make_node("Transpose", [x], ["output"], perm=[0, 3, 1, 2]))
    else:
        nodes.append(helper.make_node("Identity", [x], ["output"]))
    outputs = [helper.make_tensor_value_info("output", dtype, shape)]
    if kind.mask:
        nodes.append(helper.make_node("ReduceMean", [x], ["grey"], axes=[3], keepdims=0))
        nodes.append(helper.make_node("Sigmoid", ["grey"], ["mask"]))
        outputs.append(helper.make_tensor_value_info("mask", dtype, [batch, side, width]))
    graph = helper.make_graph(
        nodes,
        "translator",
        [helper.make_tensor_value_info("input", dtype, shape)],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", kind.opset)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def write(path: Path, model: onnx.ModelProto, **options: Any) -> Path:
    onnx.save_model(model, path, **options)
    return path
