"""A model that sleeps instead of computing: what is measured is the way to it."""

from __future__ import annotations

import time
from collections.abc import Iterable

from app.cluster.replica import Models
from app.engine.runtime.runtime import open_runtime
from app.engine.runtime.session import Execution, Model, OpenModel, Outputs, Pixels, Shape, StyleCodes
from app.settings.settings import Settings

_COMPUTED = 2
"""The runs that a bundle is verified with."""


class ReplayedModel:
    """Computes its first runs, as the canary requires; then it sleeps and returns the last outputs again."""

    def __init__(self, model: Model, seconds: float) -> None:
        self._model = model
        self._seconds = seconds
        self._runs = 0
        self._outputs: Outputs = {}

    @property
    def execution(self) -> Execution:
        """Where the first runs are computed."""
        return self._model.execution

    @property
    def automatic_precision(self) -> bool:
        """Whether a precision below float32 was chosen automatically."""
        return self._model.automatic_precision

    def run(self, pixels: Pixels, style: StyleCodes | None = None) -> Outputs:
        """Return the outputs of a batch of one."""
        self._runs += 1
        if self._runs <= _COMPUTED:
            self._outputs = self._model.run(pixels, style)
        else:
            time.sleep(self._seconds)
        return self._outputs

    def prepare_shapes(self, shapes: Iterable[Shape]) -> None:
        """Do nothing: only its first runs are computed."""

    def terminate(self) -> None:
        """Do nothing: it sleeps on."""


def replayed_models(settings: Settings, *, seconds: float) -> Models:
    """Return a model that sleeps, for batches of one."""
    open_model: OpenModel = open_runtime(settings).open

    def opened(model: bytes, /, *, exact: bool = False, any_shape: bool = False) -> Model:
        return ReplayedModel(open_model(model, exact=exact, any_shape=any_shape), seconds)

    return Models([opened], [1])
