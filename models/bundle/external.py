"""Find tensors that an ONNX model keeps outside its own file, without an ONNX library.

Onnxruntime follows such a reference to whatever path it names, so a served model must have none. The serving
house carries no ONNX library; walking protobuf's wire format needs only the numbers of the few fields through
which a tensor can be reached.
"""

from __future__ import annotations

from typing import Final

from models.bundle.errors import BundleError

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

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


def refuse_external_tensors(model: bytes | memoryview) -> None:
    """Check that every tensor of a serialized ONNX model lies inside it.

    Raises:
        BundleError: a tensor refers to another file, or the bytes are not a protobuf message.
    """
    try:
        _walk(memoryview(model), "Model", 0)
    except (IndexError, ValueError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError("The model is not a readable ONNX file.") from None


def _walk(message: memoryview, kind: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("nested too deeply")
    at, children = 0, _CHILDREN[kind]
    while at < len(message):
        key, at = _varint(message, at)
        field, wire = key >> 3, key & 7
        start, at = _skip(message, at, wire)
        if kind == "Tensor" and field in (_TENSOR_EXTERNAL_DATA, _TENSOR_DATA_LOCATION):
            # Even data_location = DEFAULT is never written by the exporter: nothing here needs the field.
            raise BundleError("The model keeps a tensor in another file; a bundle's model must be one file.")
        if wire == _BYTES and field in children:
            _walk(message[start:at], children[field], depth + 1)


def _skip(message: memoryview, at: int, wire: int) -> tuple[int, int]:
    """Where a field's value starts and ends."""
    if wire == _VARINT:
        return at, _varint(message, at)[1]
    if wire == _BYTES:
        size, at = _varint(message, at)
    elif wire in (_FIXED64, _FIXED32):
        size = 8 if wire == _FIXED64 else 4
    else:
        raise ValueError(f"wire type {wire}")
    if at + size > len(message):
        raise ValueError("truncated")
    return at, at + size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("varint too long")
