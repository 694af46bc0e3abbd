"""Measure on the first model which of several ways to open models is the fastest, once a process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from math import inf
from typing import Final, NamedTuple

from app.engine.runtime.session import Execution, Model, OpenModel, Outputs, Pixels, Shape, StyleCodes

_ROUNDS: Final = 5
MARGIN: Final = 0.9
"""An alternative must need less than this share of the default's time: noise must not decide."""
LOWER_PRECISION_MARGIN: Final = 1 / 1.5
"""A lower precision must be 1.5 times as fast as float32: it costs accuracy."""

log = logging.getLogger("ugatit.engine")


class _Choice(NamedTuple):
    """The places of the fastest candidates: of all, and of those in float32."""

    of_all: int
    in_float32: int

    def place(self, *, exact: bool) -> int:
        """Return the place of the candidate for a model."""
        return self.in_float32 if exact else self.of_all


class ProviderBenchmark:
    """Ways to open a model, compared on the first one; later models are opened in the fastest way."""

    def __init__(self, float32: Sequence[OpenModel], lower_precision: OpenModel | None = None) -> None:
        """
        Args:
            float32: the default, then the alternatives, which must be clearly faster to be chosen.
            lower_precision: an alternative to the fastest of them, which must be much faster.
        """
        self._candidates = [*float32, *([] if lower_precision is None else [lower_precision])]
        self._in_float32 = len(float32)
        self._choice: _Choice | None = None
        self._lock = threading.Lock()

    def open(self, model: bytes, *, exact: bool = False) -> Model:
        """Open a model, `exact` in float32; the first run of the first model is the benchmark."""
        if self._choice is None:
            return _UnmeasuredModel(self, model, exact=exact)
        return self._candidates[self._choice.place(exact=exact)](model)

    def open_fastest(
        self, model: bytes, pixels: Pixels, style: StyleCodes | None = None, *, exact: bool = False
    ) -> Model:
        """Open a model in the fastest way; measure it on these inputs if that was not done yet."""
        with self._lock:
            if self._choice is not None:
                return self.open(model, exact=exact)
            opened = self._open_candidates(model, pixels, style)
            times = best_times([partial(each.run, pixels, style) for each in opened.values()])
            measured = dict(zip(opened, times, strict=True))
            self._choice = self._choose([measured.get(place, inf) for place in range(len(self._candidates))])
            chosen = opened[self._choice.place(exact=exact)]
            log.info("%s in %s runs models the fastest here", *chosen.execution)
            return chosen

    def _open_candidates(self, model: bytes, pixels: Pixels, style: StyleCodes | None) -> dict[int, Model]:
        """Open the model and run it once in every way at the same time; leave out those that do not work.

        Opening takes longer than all of the benchmark's runs, and one core. The default must work.
        """
        opened: dict[int, Model] = {}
        errors: dict[int, Exception] = {}

        def open_and_run(place: int, candidate: OpenModel) -> None:
            try:
                opening = candidate(model)
                opening.run(pixels, style)
                opened[place] = opening
            except Exception as error:  # onnxruntime's exceptions have no common base
                errors[place] = error

        threads = [
            threading.Thread(target=open_and_run, args=each, daemon=True)  # one that hangs holds no exit up
            for each in enumerate(self._candidates)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if 0 in errors:
            raise errors[0]
        for error in errors.values():
            log.warning("A provider could not run the first model: %s", error)
        return dict(sorted(opened.items()))

    def _choose(self, times: Sequence[float]) -> _Choice:
        """Choose among all candidates by their times."""
        full = fastest(times[: self._in_float32], MARGIN)
        lower = any(time < LOWER_PRECISION_MARGIN * times[full] for time in times[self._in_float32 :])
        return _Choice(self._in_float32 if lower else full, full)


class _UnmeasuredModel:
    """A model that is opened at its first run, which is the canary's."""

    def __init__(self, benchmark: ProviderBenchmark, model: bytes, *, exact: bool) -> None:
        self._benchmark = benchmark
        self._bytes = model
        self._exact = exact
        self._model: Model | None = None

    @property
    def execution(self) -> Execution:
        """Where it runs, `undecided` before the first run."""
        return self._model.execution if self._model is not None else Execution("undecided", "float32")

    @property
    def automatic_precision(self) -> bool:
        """Whether the race chose its precision."""
        return self._model is not None and self._model.automatic_precision

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch uint8 `[N, H, W, 3]`, with styles in the styles `[N, d]`."""
        if self._model is None:
            self._model = self._benchmark.open_fastest(self._bytes, pixels, style, exact=self._exact)
            self._bytes = b""
        return self._model.run(pixels, style)

    def terminate(self) -> None:
        """Make the current run fail; a benchmark cannot be terminated."""
        if self._model is not None:
            self._model.terminate()

    def prepare_shapes(self, shapes: Iterable[Shape]) -> None:
        """Open what these shapes need."""
        assert self._model is not None, "prepare_shapes was called before the first run"
        self._model.prepare_shapes(shapes)


def best_times(
    runs: Sequence[Callable[[], object]], clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """Return the seconds of each one's best of several runs, made in turn; all must be warm."""
    best = [inf] * len(runs)
    for _ in range(_ROUNDS):
        for index, run in enumerate(runs):
            started = clock()
            run()
            best[index] = min(best[index], clock() - started)
    return best


def fastest(times: Sequence[float], margin: float) -> int:
    """Return the index of the least time; 0 unless that is less than `margin` times the first."""
    index = min(range(len(times)), key=times.__getitem__)
    return index if times[index] < margin * times[0] else 0
