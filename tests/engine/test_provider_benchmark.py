"""The fastest provider is measured once, on the first model, and noise does not decide between equals."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.engine.runtime.provider_benchmark import MARGIN, ProviderBenchmark, best_times, fastest
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
        """Return a call that takes these times in turn, then always the last one."""
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
    times = best_times([clock.work(*default), clock.work(*alternative)], clock)
    assert fastest(times, MARGIN) == fastest_index


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


def measured(monkeypatch: pytest.MonkeyPatch, *times: float) -> None:
    """Let the candidates take these times."""
    monkeypatch.setattr("app.engine.runtime.provider_benchmark.best_times", lambda _: list(times))


@pytest.mark.parametrize("fastest_index", [0, 1])
def test_the_benchmark_runs_once_for_all_models(monkeypatch: pytest.MonkeyPatch, fastest_index: int) -> None:
    measured(monkeypatch, *((0.5, 1.0) if fastest_index == 0 else (1.0, 0.5)))
    candidates = [Candidate("default"), Candidate("alternative")]
    benchmark = ProviderBenchmark(candidates)
    first, second = benchmark.open(b"first"), benchmark.open(b"second")
    for model in (first, second, benchmark.open(b"third")):
        assert (model.run(PIXELS)["image"] == 255).all()
        assert model.execution.provider == candidates[fastest_index].name
        model.prepare_shapes([(1, 32, 32)])
    assert [each.opened for each in candidates] == ([3, 1] if fastest_index == 0 else [1, 3])


@pytest.mark.parametrize(
    ("times", "chosen", "exact"),
    [
        ((1.0, 0.8, 0.6), "alternative", "alternative"),  # 1.3 times as fast: not enough
        ((1.0, 0.8, 0.5), "lower", "alternative"),
        ((1.0, 0.95, 0.6), "lower", "default"),
    ],
)
def test_a_lower_precision_must_be_half_as_fast_again_as_the_fastest_in_float32(
    monkeypatch: pytest.MonkeyPatch, times: tuple[float, ...], chosen: str, exact: str
) -> None:
    measured(monkeypatch, *times)
    benchmark = ProviderBenchmark([Candidate("default"), Candidate("alternative")], Candidate("lower"))
    first = benchmark.open(b"model")
    first.run(PIXELS)
    assert first.execution.provider == chosen
    assert benchmark.open(b"model", exact=True).execution.provider == exact


def test_a_model_that_needs_float32_can_be_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, 1.0, 0.1)
    benchmark = ProviderBenchmark([Candidate("default")], Candidate("lower"))
    model = benchmark.open(b"model", exact=True)
    model.run(PIXELS)
    assert model.execution.provider == "default"
    assert benchmark.open(b"model").execution.provider == "lower"


def test_the_candidates_open_at_the_same_time() -> None:
    meeting = threading.Barrier(3)

    def meets(_model: bytes) -> FakeModel:
        meeting.wait(timeout=10)
        return FakeModel()

    ProviderBenchmark([meets, meets], meets).open(b"model").run(PIXELS)


def failing(_model: bytes) -> FakeModel:
    model = FakeModel()
    model.failures = 1
    return model


def test_a_candidate_that_cannot_run_the_model_is_not_chosen() -> None:
    default = Candidate("default")
    benchmark = ProviderBenchmark([default, failing], failing)
    for _ in range(2):
        model = benchmark.open(b"model")
        model.run(PIXELS)
        assert model.execution.provider == "default"
    assert default.opened == 2


def test_a_model_that_the_default_cannot_run_fails_and_chooses_no_provider() -> None:
    default = iter([failing, Candidate("default")])
    benchmark = ProviderBenchmark([lambda model: next(default)(model), Candidate("alternative")])
    with pytest.raises(RuntimeError, match="no memory"):
        benchmark.open(b"bad").run(PIXELS)
    model = benchmark.open(b"good")
    model.run(PIXELS)
    assert model.execution.provider in ("default", "alternative")
