"""Read an ONNX file and run it as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper

from models.files.text import as_text, quoted
from training.wrapping.errors import WrapError

_OPSETS: Final = range(11, 26)
_LIMIT_BYTES: Final = (1 << 31) - 1
"""The largest message of protobuf."""


class Input(NamedTuple):
    """The one input of a model."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]
    """None for a size that is not fixed."""


class ModelFile:
    """An ONNX model with one input, as it is in its file."""

    def __init__(self, path: Path) -> None:
        """Read and open a model; tensors in files beside it are taken into it.

        Raises:
            WrapError: it cannot be read or run, or takes other inputs than one picture.
        """
        self.name = path.name
        self.proto, self.sha256 = _read(path)
        self.opset = _opset(self.proto)
        self.input = _input(self.proto)
        self._session = open_session(self.proto, f"{as_text(path)} cannot be run by onnxruntime")
        self.outputs = [output.name for output in self._session.get_outputs()]

    def run(self, values: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return all outputs by name.

        Raises:
            WrapError: the run fails.
        """
        try:
            outputs = self._session.run(self.outputs, {self.input.name: values})
        except Exception as error:  # onnxruntime's exceptions have no common base
            shape = " x ".join(map(str, values.shape))
            raise WrapError(
                f"{self.name} fails for an input of {shape}: {quoted(str(error))}; "
                "give its --layout or --size."
            ) from error
        return dict(zip(self.outputs, outputs, strict=True))


def open_session(model: onnx.ModelProto, failure: str) -> onnxruntime.InferenceSession:
    """Open a model in onnxruntime on the CPU.

    Raises:
        WrapError: it cannot be opened; the sentence begins with `failure`.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # errors are raised
    try:
        data = model.SerializeToString()
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common base
        raise WrapError(f"{failure}: {quoted(str(error))}.") from error


def _read(path: Path) -> tuple[onnx.ModelProto, str]:
    data = path.read_bytes()
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # damaged bytes raise protobuf's own types
        raise WrapError(f"{as_text(path)} is not an ONNX model; expected a .onnx file.") from error
    if not model.graph.node:
        raise WrapError(f"{as_text(path)} is not an ONNX model; expected a .onnx file.")
    try:
        onnx.external_data_helper.load_external_data_for_model(model, str(path.parent))
    except Exception as error:  # a missing file, a path out of the folder, or a wrong length
        raise WrapError(
            f"{as_text(path)} keeps tensors in other files, and they cannot be read: {quoted(str(error))}; "
            "copy them beside the model."
        ) from error
    for tensor in _tensors(model.graph):
        tensor.ClearField("data_location")  # loading leaves the default, and a bundle may hold none
    if model.ByteSize() > _LIMIT_BYTES:
        raise WrapError(f"{as_text(path)} takes {model.ByteSize():,} bytes; at most 2 GiB fit into one file.")
    return model, hashlib.sha256(data).hexdigest()


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Yield the tensors of a graph and of the graphs in its operators."""
    yield from graph.initializer
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        yield from [attribute.t] if attribute.HasField("t") else attribute.tensors
        for inner in [attribute.g] if attribute.HasField("g") else attribute.graphs:
            yield from _tensors(inner)


def _opset(model: onnx.ModelProto) -> int:
    opset = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 0)
    if opset not in _OPSETS:
        raise WrapError(
            f"The model uses opset {opset}; expected {_OPSETS[0]} to {_OPSETS[-1]}: convert it with "
            "onnx.version_converter."
        )
    return opset


def _input(model: onnx.ModelProto) -> Input:
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [each for each in model.graph.input if each.name not in constants]
    if len(inputs) != 1:
        names = ", ".join(each.name for each in inputs) or "none"
        raise WrapError(f"An image translator takes one input, a picture; this model takes {quoted(names)}.")
    (only,) = inputs
    kind = only.type.tensor_type
    dtype = helper.tensor_dtype_to_np_dtype(kind.elem_type) if kind.elem_type else np.dtype("O")
    if dtype not in (np.float32, np.float16, np.uint8) or len(kind.shape.dim) != 4:
        raise WrapError(
            f"An image translator takes a picture as float32, float16 or uint8 with four dimensions; "
            f"{quoted(only.name)} has {dtype} and {len(kind.shape.dim)}."
        )
    shape = tuple(size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim)
    return Input(only.name, np.dtype(dtype), shape)
