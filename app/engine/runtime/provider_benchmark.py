"""Measure on the first model which of several ways to open models is the fastest, once a process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Final

from app.engine.runtime.session import Execution, Model, OpenModel, Outputs, Pixels, Shape, StyleCodes

_ROUNDS: Final = 5
MARGIN: Final = 0.9
"""An alternative must need less than this share of the default's time: noise must not decide."""
LOWER_PRECISION_MARGIN: Final = 1 / 1.5
"""A lower precision must be 1.5 times as fast as float32: it costs accuracy."""

log = logging.getLogger("ugatit.engine")


class ProviderBenchmark:
    """Ways to open a model, compared on the first one; later models are opened in the fastest way."""

    def __init__(self, candidates: Sequence[OpenModel], *, margin: float = MARGIN) -> None:
        """Args:
        candidates: the default, then the alternatives, which must be clearly faster to be chosen.
        margin: the share of the default's time of which an alternative must need less.
        """
        self._candidates = candidates
        self._margin = margin
        self._fastest: OpenModel | None = None
        self._lock = threading.Lock()

    def open(self, model: bytes) -> Model:
        """Open a model; the first run of the first model is the benchmark."""
        return self._fastest(model) if self._fastest is not None else _UnmeasuredModel(self, model)

    def open_fastest(self, model: bytes, pixels: Pixels, style: StyleCodes | None = None) -> Model:
        """Open a model in the fastest way; measure it on these inputs if that was not done yet."""
        with self._lock:
            if self._fastest is not None:
                return self._fastest(model)
            opened = self._open_candidates(model, pixels, style)
            index = fastest([partial(each.run, pixels, style) for _, each in opened], self._margin)
            self._fastest, chosen = opened[index]
            log.info("%s in %s runs models the fastest here", *chosen.execution)
            return chosen

    def _open_candidates(
        self, model: bytes, pixels: Pixels, style: StyleCodes | None
    ) -> list[tuple[OpenModel, Model]]:
        """Open the model and run it once in every way that works; the default must work."""
        default, *alternatives = self._candidates
        opened = [(default, default(model))]
        opened[0][1].run(pixels, style)
        for open_model in alternatives:
            try:
                alternative = open_model(model)
                alternative.run(pixels, style)
            except Exception as error:  # onnxruntime's exceptions have no common base
                log.warning("A provider could not run the first model: %s", error)
            else:
                opened.append((open_model, alternative))
        return opened


class _UnmeasuredModel:
    """A model that is opened at its first run, which is the canary's."""

    def __init__(self, benchmark: ProviderBenchmark, model: bytes) -> None:
        self._benchmark = benchmark
        self._bytes = model
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
            self._model = self._benchmark.open_fastest(self._bytes, pixels, style)
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


def fastest(
    runs: Sequence[Callable[[], object]],
    margin: float = MARGIN,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """Return the index of the fastest by its best of several runs, made in turn; all must be warm.

    It is 0 unless another one needs less than `margin` times the time of the first.
    """
    best = [float("inf")] * len(runs)
    for _ in range(_ROUNDS):
        for index, run in enumerate(runs):
            started = clock()
            run()
            best[index] = min(best[index], clock() - started)
    index = min(range(len(runs)), key=best.__getitem__)
    return index if best[index] < margin * best[0] else 0
