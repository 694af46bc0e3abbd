"""Find tensors that an ONNX model keeps outside its own file, without an ONNX library.

Onnxruntime follows such a reference to whatever path it names, so a served model must have none. The serving
house carries no ONNX library; the numbers of the few fields through which a tensor can be reached are enough.
"""

from __future__ import annotations

from typing import Final

from models.bundle.errors import BundleError
from models.bundle.wire import fields

# message -> {field number: the message it holds}; from the published onnx.proto.
_CHILDREN: Final[dict[str, dict[int, str]]] = {
    "Model": {7: "Graph", 20: "Training", 25: "Function"},
    "Training": {1: "Graph", 2: "Graph"},
    "Function": {7: "Node", 11: "Attribute"},
    "Graph": {1: "Node", 5: "Tensor", 15: "SparseTensor"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "SparseTensor", 23: "SparseTensor"},
    "SparseTensor": {1: "Tensor", 2: "Tensor"},
    "Tensor": {},
}
_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION = 13, 14
_DEEPEST: Final = 64
_RUNTIME_S_OWN: Final = (slice(4, 8), b"ORTM")
"""Where and by what onnxruntime knows its own format, which it reads in place of ONNX."""


def refuse_external_tensors(model: bytes) -> None:
    """Check that every tensor of a serialized ONNX model lies inside it.

    Raises:
        BundleError: a tensor refers to another file, or the bytes are no ONNX model.
    """
    where, mark = _RUNTIME_S_OWN
    try:
        if model[where] == mark:
            raise ValueError("another format")
        outside = _holds_external_tensor(memoryview(model), "Model", 0)
    except ValueError:
        raise BundleError("A model of the bundle is not a readable ONNX file.") from None
    if outside:
        raise BundleError("A model of the bundle keeps a tensor in another file; it must be one file.")


def _holds_external_tensor(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    for field in fields(message):
        # Even "not external" need not be said: the exporter never writes either field.
        if kind == "Tensor" and field.number in (_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION):
            return True
        child = _CHILDREN[kind].get(field.number) if field.nested else None
        if child and _holds_external_tensor(message[field.start : field.end], child, depth + 1):
            return True
    return False
