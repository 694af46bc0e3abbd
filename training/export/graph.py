"""Write an ONNX graph by hand, one operator per line."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor

OPSET: Final = 18
IR_VERSION: Final = 9
"""The oldest version that allows opset 18, so that older runtimes and TensorRT can read the file."""


class Graph:
    """A graph under construction. Values are referred to by name, as in ONNX."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._number = itertools.count()
        self.kept: list[str] = []
        """The names of values that stay in float32 in a lower precision; see `float32_regions`."""
        self._nodes: list[onnx.NodeProto] = []
        self._names: dict[bytes, str] = {}
        self._constants: dict[str, onnx.TensorProto] = {}
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: type[np.generic], shape: list[str | int]) -> str:
        """Declare an input and return its name; a string in `shape` is the name of a dynamic dimension."""
        self._inputs.append(helper.make_tensor_value_info(name, _onnx_type(dtype), shape))
        return name

    def output(self, value: str, name: str, dtype: type[np.generic], shape: list[str | int]) -> None:
        """Declare a value as the output `name`."""
        self._nodes.append(helper.make_node("Identity", [value], [name], name=f"output/{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, _onnx_type(dtype), shape))

    def constant(
        self, value: Tensor | ArrayLike | list[list[float]], dtype: type[np.generic] = np.float32
    ) -> str:
        """Return the name of a constant tensor.

        A torch tensor may have any precision and is rounded once, here. Equal constants are stored once.
        """
        array: NDArray[Any] = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
        tensor = numpy_helper.from_array(np.ascontiguousarray(array.astype(dtype)))
        digest = hashlib.sha256(tensor.SerializeToString()).digest()
        if digest not in self._names:
            tensor.name = self._names[digest] = f"constant_{len(self._constants)}"
            self._constants[tensor.name] = tensor
        return self._names[digest]

    def sizes(self, x: str, *axes: int) -> str:
        """Return the sizes of `x` along `axes` at run time, as a float tensor `[len(axes)]`."""
        shape = self.add("Gather", self.add("Shape", x), self.integers(*axes))
        return self.add("Cast", shape, to=TensorProto.FLOAT)

    def switch(self, name: str) -> str:
        """Declare a switch: a named constant that is false in the file and that a loader may turn on."""
        self._constants[name] = numpy_helper.from_array(np.array(False), name)
        return name

    def has_switch(self, name: str) -> bool:
        """Return whether a switch was declared."""
        return name in self._constants

    def integers(self, *values: int) -> str:
        """Return a constant one-dimensional int64 tensor, the type of shapes and axes."""
        return self.constant(list(values), np.int64)

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Append an operator with one output, and return the output's name."""
        name = f"{operator}_{next(self._number)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def choose(self, switch: str, *, on: Callable[[], str], off: Callable[[], str]) -> str:
        """Return one of two ways to compute a float value; each is a function that appends its operators.

        As the switch is a constant, a runtime keeps one branch and drops the other when it loads the model.
        A switch that was not declared yet is declared.
        """
        if switch not in self._constants:
            self.switch(switch)
        return self.add("If", switch, then_branch=self._branch(on), else_branch=self._branch(off))

    def _branch(self, append: Callable[[], str]) -> onnx.GraphProto:
        outer, self._nodes = self._nodes, []
        output = helper.make_empty_tensor_value_info(append())
        nodes, self._nodes = self._nodes, outer
        return helper.make_graph(nodes, output.name, [], [output])

    def build(self) -> bytes:
        """Return the serialized and checked model: one file without external data."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, list(self._constants.values())
        )
        model = helper.make_model(
            graph,
            ir_version=IR_VERSION,
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="ugatit",
        )
        onnx.checker.check_model(model, full_check=model.ByteSize() < 1 << 30)
        serialized: bytes = model.SerializeToString(deterministic=True)
        return serialized


def _onnx_type(dtype: type[np.generic]) -> int:
    kind: int = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    assert kind != TensorProto.UNDEFINED
    return kind
