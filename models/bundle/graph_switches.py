"""Turn on a switch of an exported graph: a named boolean constant, false in the file.

A graph can contain two branches that compute the same value and a switch between them, so that one verified
file works with every provider: the loader turns on the branch that is faster with its provider, and
onnxruntime drops the other one when it loads the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from models.bundle.protobuf import WireField, fields

WINOGRAD: Final = "winograd"
"""The residual blocks' convolutions by Winograd's F(4, 3): faster on x86-64 through the CPU provider."""

MIXED: Final = "mixed_precision"
"""For a run in bfloat16 through OpenVINO: where rounding costs the most accuracy, values stay in float32."""

# From the published onnx.proto.
_MODEL_GRAPH, _GRAPH_INITIALIZER, _TENSOR_NAME, _TENSOR_RAW_DATA = 7, 5, 8, 9


def turn_on(model: bytes, switch: str) -> bytes:
    """Return the model with a switch on; a model without that switch is returned unchanged."""
    at = _position(memoryview(model), switch)
    return model if at is None else b"".join((model[:at], b"\x01", model[at + 1 :]))


def _position(model: memoryview, switch: str) -> int | None:
    """Return the position of the one byte of the switch's value, or None without such a switch."""
    for graph in _fields_of(model, 0, len(model), _MODEL_GRAPH):
        for tensor in _fields_of(model, graph.start, graph.end, _GRAPH_INITIALIZER):
            names = _fields_of(model, tensor.start, tensor.end, _TENSOR_NAME)
            if any(model[name.start : name.end] == switch.encode() for name in names):
                values = list(_fields_of(model, tensor.start, tensor.end, _TENSOR_RAW_DATA))
                assert [value.end - value.start for value in values] == [1], "a switch is one byte"
                return values[0].start
    return None


def _fields_of(model: memoryview, start: int, end: int, number: int) -> Iterator[WireField]:
    """Yield a message's fields of one number, with positions in the whole model."""
    for field in fields(model[start:end]):
        if field.number == number:
            yield field._replace(start=start + field.start, end=start + field.end)
