"""The faster way to run models is found once, on the first model, and chance does not choose among equals."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from app.engine.runtime.provider_benchmark import ProviderBenchmark, fastest
from app.engine.runtime.session import Pixels
from tests.fake_engine import FakeModel

PIXELS: Pixels = np.zeros((1, 32, 32, 3), np.uint8)


class Clock:
    """Time that passes only when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, *seconds: float) -> Callable[[], None]:
        """Work that takes these times in turn, the last one for ever."""
        left: Iterator[float] = iter(seconds)
        last = [seconds[-1]]

        def run() -> None:
            last[0] = next(left, last[0])
            self.now += last[0]

        return run


@pytest.mark.parametrize(
    ("favourite", "challenger", "winner"),
    [
        ([1.0], [0.5], 1),
        ([0.5], [1.0], 0),
        ([1.0], [0.95], 0),  # within the margin
        ([1.0, 1.0, 7.0], [0.8, 7.0, 0.8], 1),  # somebody else was busy for a while
        ([7.0, 7.0, 0.8], [1.0, 1.0, 1.0], 0),
    ],
)
def test_the_best_run_counts_and_equals_go_to_the_favourite(
    favourite: list[float], challenger: list[float], winner: int
) -> None:
    clock = Clock()
    assert fastest([clock.work(*favourite), clock.work(*challenger)], clock) == winner


class Way:
    """Opens models and remembers how often."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.opened = 0

    def __call__(self, _model: bytes) -> FakeModel:
        self.opened += 1
        model = FakeModel()
        model.provider = self.name
        return model


@pytest.mark.parametrize("winner", [0, 1])
def test_one_race_decides_for_every_model(monkeypatch: pytest.MonkeyPatch, winner: int) -> None:
    monkeypatch.setattr("app.engine.runtime.provider_benchmark.fastest", lambda _: winner)
    ways = [Way("favourite"), Way("challenger")]
    race = ProviderBenchmark(ways)
    first, second = race.open(b"first"), race.open(b"second")
    for model in (first, second, race.open(b"third")):
        assert (model.run(PIXELS)["image"] == 255).all()
        assert model.execution.provider == ways[winner].name
        model.prepare_shapes([(1, 32, 32)])
    assert [way.opened for way in ways] == ([3, 1] if winner == 0 else [1, 3])


def failing(_model: bytes) -> FakeModel:
    model = FakeModel()
    model.failures = 1
    return model


def test_whoever_cannot_run_the_model_is_out_of_the_race() -> None:
    favourite = Way("favourite")
    race = ProviderBenchmark([favourite, failing])
    for _ in range(2):
        model = race.open(b"model")
        model.run(PIXELS)
        assert model.execution.provider == "favourite"
    assert favourite.opened == 2


def test_a_model_that_not_even_the_favourite_runs_fails_and_decides_nothing() -> None:
    ways = [failing, Way("challenger")]
    race = ProviderBenchmark(ways)
    with pytest.raises(RuntimeError, match="no memory"):
        race.open(b"bad").run(PIXELS)
    ways[0] = Way("favourite")
    model = race.open(b"good")
    model.run(PIXELS)
    assert model.execution.provider in ("favourite", "challenger")
