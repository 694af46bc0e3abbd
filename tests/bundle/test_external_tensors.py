"""A model with a tensor outside its file is refused, wherever in the model the tensor is."""

import contextlib

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from models.bundle.errors import BundleError
from models.bundle.external_tensors import refuse_external_tensors


def tensor(*, external: bool) -> TensorProto:
    made = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
    if external:
        made.ClearField("float_data")
        made.data_location = TensorProto.EXTERNAL
        made.external_data.add(key="location", value="/etc/passwd")
    return made


def graph(**parts: object) -> onnx.GraphProto:
    made = helper.make_graph([], "g", [], [])
    for name, part in parts.items():
        getattr(made, name).append(part)
    return made


def as_initializer(w: TensorProto) -> onnx.ModelProto:
    return helper.make_model(graph(initializer=w))


def as_attribute(w: TensorProto) -> onnx.ModelProto:
    return helper.make_model(graph(node=helper.make_node("Constant", [], ["w"], value=w)))


def in_a_list_attribute(w: TensorProto) -> onnx.ModelProto:
    node = helper.make_node("Custom", [], ["w"])
    node.attribute.append(helper.make_attribute("values", [w]))
    return helper.make_model(graph(node=node))


def in_a_branch(w: TensorProto) -> onnx.ModelProto:
    branch = graph(initializer=w)
    return helper.make_model(
        graph(node=helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=graph()))
    )


def in_a_sparse_initializer(w: TensorProto) -> onnx.ModelProto:
    sparse = onnx.SparseTensorProto(dims=[1])
    sparse.values.CopyFrom(w)
    return helper.make_model(graph(sparse_initializer=sparse))


def in_a_function(w: TensorProto) -> onnx.ModelProto:
    model = helper.make_model(graph())
    node = helper.make_node("Constant", [], ["w"], value=w)
    model.functions.append(helper.make_function("f", "F", [], ["w"], [node], [helper.make_opsetid("", 18)]))
    return model


def in_training_info(w: TensorProto) -> onnx.ModelProto:
    model = helper.make_model(graph())
    model.training_info.add().initialization.CopyFrom(graph(initializer=w))
    return model


POSITIONS = [
    as_initializer,
    as_attribute,
    in_a_list_attribute,
    in_a_branch,
    in_a_sparse_initializer,
    in_a_function,
    in_training_info,
]


@pytest.mark.parametrize("model_with", POSITIONS, ids=lambda model_with: model_with.__name__)
def test_external_tensor_is_found_everywhere_in_a_model(model_with) -> None:  # type: ignore[no-untyped-def]
    refuse_external_tensors(model_with(tensor(external=False)).SerializeToString())
    with pytest.raises(BundleError, match="stores a tensor in another file"):
        refuse_external_tensors(model_with(tensor(external=True)).SerializeToString())


def test_field_number_that_overflows_is_refused() -> None:
    def with_long_key(number: int, wire: int) -> bytes:
        # Five bytes whose top bit is beyond 32: onnxruntime's parser drops it and reads field `number`.
        return bytes([number << 3 | wire | 0x80, 0x80, 0x80, 0x80, 0x10])

    location = b"\x0a\x08location\x12\x0b/etc/passwd"
    hidden = with_long_key(13, 2) + _varint(len(location)) + location + with_long_key(14, 0) + b"\x01"
    graph = bytes([5 << 3 | 2]) + _varint(len(hidden)) + hidden
    with pytest.raises(BundleError, match="not a readable ONNX file"):
        refuse_external_tensors(bytes([7 << 3 | 2]) + _varint(len(graph)) + graph)


def test_onnxruntime_own_format_is_refused() -> None:
    with pytest.raises(BundleError, match="not a readable ONNX file"):
        refuse_external_tensors(b"\x0a\x06\x00\x00ORTM")  # on the wire an unknown field of six bytes


@given(st.binary(max_size=200))
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(BundleError):
        refuse_external_tensors(data)


def test_too_deep_nesting_is_refused() -> None:
    model = b""
    for _ in range(100):  # a graph in an attribute of a node of a graph ...
        for field in (6, 5, 1):
            model = bytes([field << 3 | 2]) + _varint(len(model)) + model
    with pytest.raises(BundleError, match="not a readable ONNX file"):
        refuse_external_tensors(bytes([7 << 3 | 2]) + _varint(len(model)) + model)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
