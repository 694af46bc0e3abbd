"""Put the conversion from and to pixels around a model, in its own graph and opset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from training.wrapping.convention import RANGES
from training.wrapping.inspection import Inspection
from training.wrapping.model_file import ModelFile

PREFIX: Final = "model/"
"""Before every name of the model, so that none is one of ours."""


class _Nodes:
    """Operators around the model, written for its opset."""

    def __init__(self, opset: int) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._opset = opset

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        name = output or f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, values: Any, dtype: type[np.generic] = np.float32) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def squeeze(self, x: str, axis: int, *, output: str | None = None) -> str:
        return self._axes("Squeeze", x, axis, output)

    def unsqueeze(self, x: str, axis: int) -> str:
        return self._axes("Unsqueeze", x, axis, None)

    def _axes(self, operator: str, x: str, axis: int, output: str | None) -> str:
        if self._opset < 13:  # the axes were an attribute
            return self.add(operator, x, output=output, axes=[axis])
        return self.add(operator, x, self.constant([axis], np.int64), output=output)


def wrapped(model: ModelFile, found: Inspection, *, one_by_one: bool) -> onnx.ModelProto:
    """Return the model from `pixels` uint8 `[N, H, W, 3]` to `image` uint8, and `attention` if it has one.

    Args:
        model: the model as it is.
        found: how it takes and returns pictures.
        one_by_one: run the model for each picture of a batch: for models that take one picture only, or that
            mix the pictures of a batch.
    """
    inner = compose.add_prefix(model.proto, PREFIX)
    size: list[int | str] = [found.height, found.width] if found.fixed else ["H", "W"]
    names = ["image", *(["attention"] if found.attention is not None else [])]
    around = _Nodes(model.opset)
    if one_by_one:
        body = _scan_body(model, found, inner, size)
        around.nodes = [helper.make_node("Scan", ["pixels"], names, body=body, num_scan_inputs=1)]
    else:
        _convert(around, model, found, inner, "pixels", names)
    outputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", *size, 3])]
    outputs += [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", "h", "w"]) for name in names[1:]]
    graph = helper.make_graph(
        around.nodes,
        "wrapped",
        [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", *size, 3])],
        outputs,
        [*around.constants, *([] if one_by_one else inner.graph.initializer)],
    )
    return helper.make_model(
        graph,
        opset_imports=model.proto.opset_import,
        ir_version=model.proto.ir_version,
        functions=inner.functions,
        producer_name="ugatit",
    )


def _scan_body(
    model: ModelFile, found: Inspection, inner: onnx.ModelProto, size: Sequence[int | str]
) -> onnx.GraphProto:
    """Return the graph from one picture `[H, W, 3]` to its outputs, without the batch's axis."""
    nodes = _Nodes(model.opset)
    batch = nodes.unsqueeze("picture", 0)
    names = ["batch_image", *(["batch_attention"] if found.attention is not None else [])]
    _convert(nodes, model, found, inner, batch, names)
    kinds = (TensorProto.UINT8, TensorProto.FLOAT)
    outputs = [
        helper.make_tensor_value_info(nodes.squeeze(name, 0, output=f"one_{name}"), kind, None)
        for name, kind in zip(names, kinds, strict=False)
    ]
    picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, [*size, 3])
    return helper.make_graph(
        nodes.nodes, "one_picture", [picture], outputs, [*nodes.constants, *inner.graph.initializer]
    )


def _convert(
    nodes: _Nodes,
    model: ModelFile,
    found: Inspection,
    inner: onnx.ModelProto,
    pixels: str,
    names: Sequence[str],
) -> None:
    """Append the conversion of `pixels`, the model, and the conversion of its outputs to `names`."""
    _append_input(nodes, model, found, pixels)
    nodes.nodes += inner.graph.node
    _append_image(nodes, found, names[0])
    if found.attention is not None:
        _append_attention(nodes, found, names[1])


def _append_input(nodes: _Nodes, model: ModelFile, found: Inspection, x: str) -> None:
    """Append the conversion from pixels to the model's input."""
    convention = found.convention
    low, high = RANGES[convention.input_range]
    x = nodes.add("Cast", _reversed(nodes, found, x), to=TensorProto.FLOAT)
    x = nodes.add("Mul", x, nodes.constant((high - low) / 255))
    x = nodes.add("Add", x, nodes.constant(low))
    if convention.layout == "nchw":
        x = nodes.add("Transpose", x, perm=[0, 3, 1, 2])
    kind = helper.np_dtype_to_tensor_dtype(model.input.dtype)
    nodes.add("Cast", x, output=PREFIX + model.input.name, to=kind)


def _append_image(nodes: _Nodes, found: Inspection, name: str) -> None:
    """Append the conversion from the model's picture to the nearest pixels."""
    convention = found.convention
    low, high = RANGES[convention.output_range]
    x = nodes.add("Cast", PREFIX + found.image, to=TensorProto.FLOAT)
    x = nodes.add("Add", x, nodes.constant(-low))
    x = nodes.add("Mul", x, nodes.constant(255 / (high - low)))
    x = nodes.add("Clip", nodes.add("Round", x), nodes.constant(0), nodes.constant(255))
    if convention.layout == "nchw":
        x = nodes.add("Transpose", x, perm=[0, 2, 3, 1])
    x = nodes.add("Cast", x, to=TensorProto.UINT8)
    nodes.add("Identity", _reversed(nodes, found, x), output=name)


def _reversed(nodes: _Nodes, found: Inspection, x: str) -> str:
    """Reverse the colours of `[N, H, W, 3]` where the model has them the other way round."""
    if found.convention.channels == "rgb":
        return x
    return nodes.add("Gather", x, nodes.constant([2, 1, 0], np.int64), axis=3)


def _append_attention(nodes: _Nodes, found: Inspection, name: str) -> None:
    """Append the conversion from the model's map to float32 `[N, h, w]`."""
    assert found.attention is not None
    x = nodes.add("Cast", PREFIX + found.attention, to=TensorProto.FLOAT)
    if found.attention_axis is None:
        nodes.add("Identity", x, output=name)
    else:
        nodes.squeeze(x, found.attention_axis, output=name)
