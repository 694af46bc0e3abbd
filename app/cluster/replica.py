"""One replica of a version of a bundle: its models in a process of its own, which Serve supervises."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ray import serve

from app.cluster.loopback import stay_on_loopback
from app.cluster.served import ReplicaRun
from app.engine.directions.direction_status import BundleInfo
from app.engine.directions.translator import Translator, TranslatorEvent
from app.engine.events import RunFinished
from app.engine.local_engine import run_sizes, scheduling_limits
from app.engine.runtime.runtime import device_runtimes, open_runtime
from app.engine.runtime.session import Execution, OpenModel, Pixels, StyleCodes
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.batcher import Inference, ModelInput
from app.engine.store.entry import Maps
from app.settings.settings import Settings
from models.bundle.errors import BundleError

log = logging.getLogger("ugatit.cluster")


class Models(NamedTuple):
    """How a replica opens its models, and the sizes of its runs."""

    open_models: Sequence[OpenModel]
    """For each device."""
    batch_sizes: list[int]


ChooseModels = Callable[[Settings], Models]


def onnxruntime_models(settings: Settings) -> Models:
    """Return the models of a real service, in onnxruntime."""
    runtime = open_runtime(settings)
    return Models([each.open for each in device_runtimes(runtime, settings)], run_sizes(settings, runtime))


class _Job(NamedTuple):
    """What the generator gets, and its caller, who may leave."""

    input: ModelInput
    left: asyncio.Event


class Replica:
    """Runs the models of one version. Serve forms the batches, the translator runs and watches the models."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it.
        self, settings: Settings, bundle: Path, version: str, choose_models: ChooseModels
    ) -> None:
        """Verify the bundle, open its generator and run the canary.

        Args:
            settings: of the service.
            bundle: the bundle's directory.
            version: which must be in that directory.
            choose_models: returns how to open models on this machine.

        Raises:
            BundleError: another version is there, or it does not work.
        """
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
        stay_on_loopback()
        models = choose_models(settings)
        limits = scheduling_limits(settings, models.batch_sizes)
        self._run_seconds = limits.time_limits.run_seconds
        self._finished: list[RunFinished] = []
        """Runs that the fronts have not learned of."""
        self._translator = Translator(bundle, models.open_models, limits, self._note)
        await self._translator.load()
        if (found := self.info().version) != version:
            raise BundleError(f"{bundle} must hold version {version}, got {found}.")
        self._run.set_max_batch_size(models.batch_sizes[-1])
        self._run.set_batch_wait_timeout_s(settings.batch_wait_ms / 1000)

    def info(self) -> BundleInfo:
        """Return the bundle."""
        assert self._translator.bundle is not None
        return self._translator.bundle

    def execution(self) -> Execution | None:
        """Return where the generator runs."""
        return self._translator.execution

    def float32_reason(self) -> str | None:
        """Return why the generator runs in float32 instead of a lower precision; None if it does not."""
        return self._translator.float32_reason

    def check_health(self) -> None:
        """Do nothing while the models work; Serve replaces the replica otherwise.

        Raises:
            RuntimeError: a model does not work.
        """
        if not self._translator.intact:
            raise RuntimeError("A model of this replica does not work.")

    async def generate(self, input_: ModelInput) -> ReplicaRun:
        """Return the generator's outputs for one input, of a run with others that wait.

        Raises:
            DirectionDefunct: the generator does not work.
            NetworkDefunct: it does not work for this size.
        """
        job = _Job(input_, asyncio.Event())
        try:
            result: list[Inference] | BaseException = await self._run(job)
        finally:
            job.left.set()
        if isinstance(result, BaseException):
            raise result
        (inference,) = result
        finished, self._finished = self._finished, []
        return ReplicaRun(inference, finished)

    async def encode_style(self, reference: Pixels) -> StyleCodes:
        """Return the style code `[d]` of a picture `[H, W, 3]` of the target domain.

        Raises:
            StyleEncoderDefunct: the style encoder does not work.
        """
        async with asyncio.timeout(self._run_seconds):
            return await self._translator.encode_style(reference, Permit(""))

    async def discriminate(self, frames: Sequence[Pixels]) -> list[Maps]:
        """Return the heat maps of the discriminators for translated frames.

        Raises:
            NoSuchNetwork, NetworkDefunct: there are none, or they do not work.
        """
        async with asyncio.timeout(self._run_seconds):
            return await self._translator.discriminate(frames, Permit(""))

    @serve.batch(max_batch_size=1)  # type: ignore[untyped-decorator]
    async def _run(self, jobs: list[_Job]) -> list[list[Inference] | BaseException]:
        """Run a batch; stop when all its callers have left, or when it takes too long.

        Frames of several requests may have several sizes. The translator runs those of one size together.
        """
        calls = [self._translator.generate([job.input], Permit("")) for job in jobs]
        running = asyncio.gather(*calls, return_exceptions=True)
        leaving = asyncio.create_task(_all_left(jobs))
        ends: set[asyncio.Future[Any]] = {running, leaving}
        try:
            async with asyncio.timeout(self._run_seconds):
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            leaving.cancel()
            if not running.done():
                running.cancel()
        return await running

    def _note(self, event: TranslatorEvent) -> None:
        """Keep a run for the fronts; `check_health` reports what is broken."""
        if isinstance(event, RunFinished):
            self._finished.append(event)


async def _all_left(jobs: Sequence[_Job]) -> None:
    for job in jobs:
        await job.left.wait()
