"""A loader can turn on a switch of a graph."""

import numpy as np
import onnxruntime

from models.bundle.graph_switches import turn_on
from training.export.graph import Graph


def model(switch: str) -> bytes:
    graph = Graph("switched")
    graph.switch(switch)
    x = graph.input("x", np.float32, ["N"])
    chosen = graph.choose(
        switch,
        on=lambda: graph.add("Mul", x, graph.constant(2.0)),
        off=lambda: graph.add("Mul", x, graph.constant(3.0)),
    )
    graph.output(chosen, "y", np.float32, ["N"])
    return graph.build()


def answer(serialized: bytes) -> float:
    session = onnxruntime.InferenceSession(serialized, providers=["CPUExecutionProvider"])
    return float(session.run(["y"], {"x": np.ones(1, np.float32)})[0][0])


def test_a_switch_is_off_until_a_loader_turns_it_on() -> None:
    assert answer(model("fast")) == 3
    assert answer(turn_on(model("fast"), "fast")) == 2


def test_a_model_without_the_switch_comes_back_as_it_is() -> None:
    assert turn_on(model("other"), "fast") == model("other")
