"""The engine of a service on one machine: its models run in this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.engine.directions.bundle_watcher import BundleWatcher
from app.engine.directions.registry import Registry
from app.engine.directions.translator import SchedulingLimits
from app.engine.engine import PictureEngine
from app.engine.events import EngineEvents
from app.engine.runtime.runtime import Runtime, batch_sizes, default_max_batch, device_runtimes
from app.engine.runtime.session import OpenModel
from app.engine.scheduling.runner import TimeLimits
from app.engine.store.stores import TranslationStore
from app.settings.settings import Settings

_RUN_SHARE: Final = 0.9
"""The time limit of a run as a share of the deadline: no picture can give its run more time than that."""


class LocalEngine(PictureEngine):
    """Translates encoded pictures by models in this process."""

    def __init__(
        self,
        settings: Settings,
        open_models: Sequence[OpenModel],
        *,
        batch_sizes: list[int],
        store: TranslationStore | None = None,
    ) -> None:
        """Find the bundles; `start` loads them.

        Args:
            settings: the limits.
            open_models: opens a model, for each device.
            batch_sizes: the sizes of a run, ascending.
            store: keeps the translations; the one that the settings choose by default.
        """
        events = EngineEvents()
        limits = scheduling_limits(settings, batch_sizes)
        self.registry = Registry(
            settings.bundles_dir, open_models, limits, events, preferred=settings.preferred_direction
        )
        poll_seconds = settings.reload_poll_seconds if settings.reload == "poll" else None
        super().__init__(settings, self.registry, BundleWatcher(self.registry, poll_seconds), events, store)


def scheduling_limits(settings: Settings, batch_sizes: list[int]) -> SchedulingLimits:
    """Return the limits of a direction's queue and runs; `batch_sizes` are those of a run, ascending."""
    return SchedulingLimits(
        permits=settings.queue_size,
        batch_sizes=batch_sizes,
        batch_wait_seconds=settings.batch_wait_ms / 1000,
        time_limits=TimeLimits(settings.load_seconds, _RUN_SHARE * settings.deadline_seconds),
    )


def run_sizes(settings: Settings, runtime: Runtime) -> list[int]:
    """Return the batch sizes, ascending, that suit the runtime's provider."""
    max_batch = settings.max_batch or default_max_batch(runtime)
    return batch_sizes(max_batch, few=runtime.on_gpu or runtime.fixes_shapes)


def open_engine(settings: Settings, runtime: Runtime) -> LocalEngine:
    """Return the engine of a real service: models in onnxruntime, and batch sizes that suit its provider."""
    open_models = [each.open for each in device_runtimes(runtime, settings)]
    return LocalEngine(settings, open_models, batch_sizes=run_sizes(settings, runtime))
