"""The models of a bundle for photos at their own shape."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from functools import partial

from app.engine.directions.bundle_models import BundleModels
from app.engine.events import RunFinished
from app.engine.runtime.session import OpenModel
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.batcher import Batcher, Inference, ModelInput
from app.engine.scheduling.runner import ModelEvent, Runner, TimeLimits
from models.bundle.manifest import DISCRIMINATORS, GENERATOR


class AnyShapeModels:
    """Models that take any shape, each opened at its first use; they run one picture at a time.

    They are apart from the models of the bundle's own size, because most providers compile those for it.
    """

    def __init__(
        self,
        name: str,
        models: BundleModels,
        open_model: OpenModel,
        *,
        time_limits: TimeLimits,
        lock: asyncio.Lock,
        on_run: Callable[[RunFinished], None],
        on_event: Callable[[ModelEvent], None],
    ) -> None:
        """Args:
        name: of the direction.
        models: of the bundle.
        open_model: opens a model.
        time_limits: of the models of the bundle's own size.
        lock: shared by models that must not run at the same time.
        on_run: called after each run of the generator.
        on_event: called when a model is being replaced, was replaced, or is broken.
        """
        # A large photo may take longer than its deadline; its run is terminated then, but nothing is broken.
        limits = time_limits._replace(run_seconds=math.inf)
        self._runners = {
            GENERATOR: Runner(
                f"{name} any shape",
                partial(models.open_for_any_shape, open_model, GENERATOR),
                models.check_generator_for_any_shape,
                time_limits=limits,
                on_event=on_event,
            ),
            DISCRIMINATORS: Runner(
                f"{name} discriminators any shape",
                partial(models.open_for_any_shape, open_model, DISCRIMINATORS),
                time_limits=limits,
                on_event=on_event,
            ),
        }
        self._batchers = {
            GENERATOR: Batcher(self._runners[GENERATOR], name=name, lock=lock, on_run=on_run),
            DISCRIMINATORS: Batcher(self._runners[DISCRIMINATORS], lock=lock),
        }

    @property
    def queued(self) -> int:
        """How many pictures wait."""
        return sum(batcher.queued for batcher in self._batchers.values())

    @property
    def usable(self) -> bool:
        """Whether the models work, or can be opened."""
        return all(runner.usable for runner in self._runners.values())

    def release_models(self) -> None:
        """Close the models; the waiting requests fail."""
        for runner in self._runners.values():
            runner.close()

    def close(self) -> None:
        """Stop at once and cancel the waiting requests."""
        for batcher in self._batchers.values():
            batcher.close()

    async def run(self, network: str, inputs: Sequence[ModelInput], permit: Permit) -> list[Inference]:
        """Return the outputs of a model, named by its file, for inputs of one size.

        Raises:
            ModelBroken: the model does not work.
        """
        await self._runners[network].ensure_open()  # without the lock: other pictures must not wait for it
        return await self._batchers[network].submit(inputs, permit)
