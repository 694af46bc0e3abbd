"""Turn on a switch of a graph."""

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


def output(serialized: bytes) -> float:
    session = onnxruntime.InferenceSession(serialized, providers=["CPUExecutionProvider"])
    return float(session.run(["y"], {"x": np.ones(1, np.float32)})[0][0])


def test_switch_is_off_until_it_is_turned_on() -> None:
    assert output(model("fast")) == 3
    assert output(turn_on(model("fast"), "fast")) == 2


def test_model_without_the_switch_is_unchanged() -> None:
    assert turn_on(model("other"), "fast") == model("other")
