"""Measure on the first model which of several ways to open models is the fastest, once a process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
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
        self._float32 = float32
        self._lower_precision = lower_precision
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
            self._choice = self._fastest(dict(zip(opened, times, strict=True)))
            chosen = opened[self._choice.place(exact=exact)]
            log.info("%s in %s runs models the fastest here", *chosen.execution)
            return chosen

    @property
    def _candidates(self) -> list[OpenModel]:
        lower = self._lower_precision
        return [*self._float32, *([] if lower is None else [lower])]

    def _open_candidates(self, model: bytes, pixels: Pixels, style: StyleCodes | None) -> dict[int, Model]:
        """Open the model and run it once in every way at the same time; leave out those that do not work.

        Opening takes longer than all of the benchmark's runs, and one core. The default must work.
        """
        opened: dict[int, Model] = {}
        errors: dict[int, Exception] = {}

        def open_and_run(index: int, candidate: OpenModel) -> None:
            try:
                opening = candidate(model)
                opening.run(pixels, style)
                opened[index] = opening
            except Exception as error:  # onnxruntime's exceptions have no common base
                errors[index] = error

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

    def _fastest(self, times: dict[int, float]) -> _Choice:
        """Choose among the candidates by their times."""
        lower = len(self._float32)
        full = fastest({index: time for index, time in times.items() if index != lower}, MARGIN)
        both = {index: times[index] for index in (full, lower) if index in times}
        return _Choice(fastest(both, LOWER_PRECISION_MARGIN), full)


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
    best = [float("inf")] * len(runs)
    for _ in range(_ROUNDS):
        for index, run in enumerate(runs):
            started = clock()
            run()
            best[index] = min(best[index], clock() - started)
    return best


def fastest(times: dict[int, float], margin: float) -> int:
    """Return the key of the least time; the first key, unless that is less than `margin` times its time."""
    first, least = next(iter(times)), min(times, key=times.__getitem__)
    return least if times[least] < margin * times[first] else first
