"""Which of two ways to run models is the faster on this machine: asked of the first model, once a process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from app.engine.runtime.session import Model, OpenModel, Outputs, Pixels, Shape

_ROUNDS: Final = 3
_MARGIN: Final = 0.9
"""A challenger must need less than this part of the favourite's time: chance must not choose among equals."""

log = logging.getLogger("ugatit.engine")


class Race:
    """Ways to open a model; all models after the first are opened the way that won."""

    def __init__(self, ways: Sequence[OpenModel]) -> None:
        """Args:
        ways: the favourite first, then who must be clearly faster to win.
        """
        self._ways = ways
        self._winner: OpenModel | None = None
        self._lock = threading.Lock()

    def open(self, model: bytes) -> Model:
        """Open a model; before there is a winner, its first run is the race."""
        return self._winner(model) if self._winner is not None else _Undecided(self, model)

    def decide(self, model: bytes, pixels: Pixels) -> Model:
        """Open the model the way that wins on it, unless that was decided meanwhile."""
        with self._lock:
            if self._winner is not None:
                return self._winner(model)
            runners = self._line_up(model, pixels)
            first = fastest([_runs(runner, pixels) for _, runner in runners])
            self._winner, winner = runners[first]
            log.info("%s runs models here", winner.provider)
            return winner

    def _line_up(self, model: bytes, pixels: Pixels) -> list[tuple[OpenModel, Model]]:
        """Who runs the model at all; the favourite must."""
        favourite, *challengers = self._ways
        runners = [(favourite, favourite(model))]
        runners[0][1].run(pixels)
        for way in challengers:
            try:
                challenger = way(model)
                challenger.run(pixels)
            except Exception as error:  # onnxruntime's exceptions have no common base
                log.warning("Not everybody could run the first model: %s", error)
            else:
                runners.append((way, challenger))
        return runners


class _Undecided:
    """A model that is opened at its first run; the engine runs the canary before it asks for anything."""

    def __init__(self, race: Race, model: bytes) -> None:
        self._race = race
        self._bytes = model
        self._model: Model | None = None

    @property
    def provider(self) -> str:
        """The execution provider truly in use; none before the first run."""
        return self._model.provider if self._model is not None else "undecided"

    @property
    def precision(self) -> str:
        """Exactness is not at stake: whoever races computes in float32."""
        return "float32"

    def run(self, pixels: Pixels) -> Outputs:
        """Run a batch uint8 `[N, H, W, 3]`."""
        if self._model is None:
            self._model = self._race.decide(self._bytes, pixels)
            self._bytes = b""
        return self._model.run(pixels)

    def terminate(self) -> None:
        """Make the run that is under way fail; a race cannot be stopped."""
        if self._model is not None:
            self._model.terminate()

    def settle(self, shapes: Iterable[Shape]) -> None:
        """Be ready for these shapes."""
        assert self._model is not None, "settled before the first run"
        self._model.settle(shapes)


def _runs(model: Model, pixels: Pixels) -> Callable[[], object]:
    return lambda: model.run(pixels)


def fastest(runs: Sequence[Callable[[], object]], clock: Callable[[], float] = time.perf_counter) -> int:
    """The index of the fastest by its best run, all run in turn; they are warm already."""
    best = [float("inf")] * len(runs)
    for _ in range(_ROUNDS):
        for index, run in enumerate(runs):
            started = clock()
            run()
            best[index] = min(best[index], clock() - started)
    challenger = min(range(len(runs)), key=best.__getitem__)
    return challenger if best[challenger] < _MARGIN * best[0] else 0
