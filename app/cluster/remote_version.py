"""One version of a direction whose models run in the replicas of a Serve application."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from ray.serve.handle import DeploymentHandle

from app.cluster.calls import call_replica
from app.cluster.served import ReplicaRun, ServedVersion
from app.engine.directions.direction_status import BundleInfo
from app.engine.errors import NoSuchNetwork
from app.engine.events import RunFinished
from app.engine.runtime.session import Execution, Pixels, StyleCodes
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.batcher import Inference, ModelInput
from app.engine.scheduling.fair_slots import FairSlots
from app.engine.store.entry import Maps

T = TypeVar("T")


class RemoteVersion:
    """Sends frames to the replicas of one version. A picture keeps the version that it began with."""

    def __init__(
        self,
        name: str,
        served: ServedVersion,
        handle: DeploymentHandle,
        slots: FairSlots,
        on_run: Callable[[RunFinished], None],
    ) -> None:
        """Args:
        name: of the direction.
        served: what the cluster says about the version.
        handle: of its replicas.
        slots: bounds the frames that are with replicas.
        on_run: called after each run.
        """
        self.name = name
        self.served = served
        self._handle = handle
        self._slots = slots
        self._on_run = on_run

    @property
    def bundle(self) -> BundleInfo:
        """The bundle, which its replicas have verified."""
        return self.served.bundle

    @property
    def execution(self) -> Execution:
        """Where and in which precision the generator runs."""
        return self.served.execution

    async def generate(self, inputs: Sequence[ModelInput], permit: Permit) -> list[Inference]:
        """Return the generator's outputs for the inputs of one request, from any replicas.

        Raises:
            DirectionDefunct, Loading: the replicas do not work, or were lost.
        """
        return await _gather([self._generate(each, permit) for each in inputs])

    async def encode_style(self, reference: Pixels, permit: Permit) -> StyleCodes:
        """Return the style code `[d]` of a picture `[H, W, 3]` of the target domain, from any replica.

        Raises:
            StyleEncoderDefunct, Loading: the style encoder does not work, or its replicas were lost.
        """
        code: StyleCodes = await self._call("encode_style", reference, permit)
        return code

    async def discriminate(self, frames: Sequence[Pixels], permit: Permit) -> list[Maps]:
        """Return the heat maps of the discriminators, by their declared names, for translated frames.

        Raises:
            NoSuchNetwork, NetworkDefunct, Loading: there are none, or they do not work.
        """
        if not self.bundle.manifest.maps_of("local", "global"):
            raise NoSuchNetwork(self.name, "discriminator")
        return await _gather([self._discriminate(frame, permit) for frame in frames])

    async def _generate(self, input_: ModelInput, permit: Permit) -> Inference:
        started = time.perf_counter()
        run: ReplicaRun = await self._call("generate", input_, permit)
        for event in run.finished:
            self._on_run(event)
        # The queue includes the way to the replica and back.
        queue_seconds = time.perf_counter() - started - run.inference.run_seconds
        return run.inference._replace(queue_seconds=queue_seconds)

    async def _discriminate(self, frame: Pixels, permit: Permit) -> Maps:
        (maps,) = await self._call("discriminate", [frame], permit)
        return maps  # type: ignore[no-any-return]

    async def _call(self, method: str, argument: Any, permit: Permit) -> Any:
        """Return the result of a replica's method, once it is the client's turn."""
        async with self._slots.slot(permit.client):
            permit.running = True
            return await call_replica(self._handle, method, argument, self.name)


async def _gather(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of all calls; if one fails or the caller leaves, cancel the others."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
