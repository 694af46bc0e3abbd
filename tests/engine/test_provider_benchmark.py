"""The fastest provider is measured once, on the first model, and noise does not decide between equals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.engine.runtime.provider_benchmark import LOWER_PRECISION_MARGIN, ProviderBenchmark, fastest
from app.engine.runtime.session import Pixels
from tests.fake_engine import FakeModel

PIXELS: Pixels = np.zeros((1, 32, 32, 3), np.uint8)


class Clock:
    """A clock that only `work` advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, *seconds: float) -> Callable[[], None]:
        """Return a call that takes these times in turn, then alcandidates the last one."""
        left: Iterator[float] = iter(seconds)
        last = [seconds[-1]]

        def run() -> None:
            last[0] = next(left, last[0])
            self.now += last[0]

        return run


@pytest.mark.parametrize(
    ("default", "alternative", "fastest_index"),
    [
        ([1.0], [0.5], 1),
        ([0.5], [1.0], 0),
        ([1.0], [0.95], 0),  # within the margin
        ([1.0, 1.0, 7.0], [0.8, 7.0, 0.8], 1),  # another process was busy for a while
        ([7.0, 7.0, 0.8], [1.0, 1.0, 1.0], 0),
    ],
)
def test_the_best_run_counts_and_the_default_wins_a_tie(
    default: list[float], alternative: list[float], fastest_index: int
) -> None:
    clock = Clock()
    assert fastest([clock.work(*default), clock.work(*alternative)], clock=clock) == fastest_index


class Candidate:
    """Opens models and counts them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.opened = 0

    def __call__(self, _model: bytes) -> FakeModel:
        self.opened += 1
        model = FakeModel()
        model.provider = self.name
        return model


@pytest.mark.parametrize("fastest_index", [0, 1])
def test_the_benchmark_runs_once_for_all_models(monkeypatch: pytest.MonkeyPatch, fastest_index: int) -> None:
    monkeypatch.setattr("app.engine.runtime.provider_benchmark.fastest", lambda *_: fastest_index)
    candidates = [Candidate("default"), Candidate("alternative")]
    benchmark = ProviderBenchmark(candidates)
    first, second = benchmark.open(b"first"), benchmark.open(b"second")
    for model in (first, second, benchmark.open(b"third")):
        assert (model.run(PIXELS)["image"] == 255).all()
        assert model.execution.provider == candidates[fastest_index].name
        model.prepare_shapes([(1, 32, 32)])
    assert [each.opened for each in candidates] == ([3, 1] if fastest_index == 0 else [1, 3])


def failing(_model: bytes) -> FakeModel:
    model = FakeModel()
    model.failures = 1
    return model


def test_a_candidate_that_cannot_run_the_model_is_not_chosen() -> None:
    default = Candidate("default")
    benchmark = ProviderBenchmark([default, failing])
    for _ in range(2):
        model = benchmark.open(b"model")
        model.run(PIXELS)
        assert model.execution.provider == "default"
    assert default.opened == 2


def test_a_model_that_the_default_cannot_run_fails_and_chooses_no_provider() -> None:
    candidates = [failing, Candidate("alternative")]
    benchmark = ProviderBenchmark(candidates)
    with pytest.raises(RuntimeError, match="no memory"):
        benchmark.open(b"bad").run(PIXELS)
    candidates[0] = Candidate("default")
    model = benchmark.open(b"good")
    model.run(PIXELS)
    assert model.execution.provider in ("default", "alternative")


def test_a_lower_precision_must_be_half_as_fast_again() -> None:
    clock = Clock()
    for seconds, index in ((0.7, 0), (0.6, 1)):
        runs = [clock.work(1.0), clock.work(seconds)]
        assert fastest(runs, LOWER_PRECISION_MARGIN, clock) == index
