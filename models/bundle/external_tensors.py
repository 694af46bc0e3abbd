"""Find tensors that an ONNX model stores outside its own file, without an ONNX library.

Onnxruntime opens whatever path such a reference names, so a served model must not have one. `app` does not
depend on an ONNX library; the numbers of the few fields that lead to a tensor are enough.
"""

from __future__ import annotations

from typing import Final

from models.bundle.errors import BundleError
from models.bundle.protobuf import fields

# message -> {field number: the type of message in it}, from the published onnx.proto.
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
_MAX_DEPTH: Final = 64
_ORT_FORMAT: Final = (slice(4, 8), b"ORTM")
"""Position and value of the mark by which onnxruntime recognises its own format instead of ONNX."""


def refuse_external_tensors(model: bytes) -> None:
    """Check that a serialized ONNX model stores all its tensors itself.

    Raises:
        BundleError: a tensor refers to another file, or the bytes are not an ONNX model.
    """
    position, mark = _ORT_FORMAT
    try:
        if model[position] == mark:
            raise ValueError("another format")
        outside = _holds_external_tensor(memoryview(model), "Model", 0)
    except ValueError:
        raise BundleError("A model of the bundle is not a readable ONNX file.") from None
    if outside:
        raise BundleError("A model of the bundle stores a tensor in another file; export it as one file.")


def _holds_external_tensor(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    for field in fields(message):
        # Refuse both fields whatever their values: our exporter writes neither.
        if kind == "Tensor" and field.number in (_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION):
            return True
        child = _CHILDREN[kind].get(field.number) if field.nested else None
        if child and _holds_external_tensor(message[field.start : field.end], child, depth + 1):
            return True
    return False
