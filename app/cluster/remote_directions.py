"""The directions of a cluster, as its front knows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ray import serve

from app.cluster.remote_version import RemoteVersion
from app.cluster.served import Served, ServedDirection, ServedVersion
from app.engine.directions.by_name import DirectionsByName
from app.engine.directions.direction_state import State
from app.engine.directions.direction_status import BundleInfo, DirectionStatus
from app.engine.errors import DirectionDefunct, Loading
from app.engine.events import EngineEvents, RunFinished
from app.engine.retry import with_jitter
from app.engine.runtime.session import Execution
from app.engine.scheduling.admission import Admission
from app.engine.scheduling.fair_slots import FairSlots

_LOADING_RETRY_SECONDS: Final = 5


class RemoteDirection:
    """A direction whose models run in replicas. The permits are the front's."""

    def __init__(self, name: str, *, permits: int, events: EngineEvents) -> None:
        """Args:
        name: of the direction.
        permits: pictures that are admitted for each replica.
        events: receive each run.
        """
        self.name = name
        self.admission = Admission(permits)
        self._permits = permits
        self._slots = FairSlots(1)
        self._events = events
        self.state = State.STARTING
        self._reason: str | None = None
        self._replicas = 1
        self._version: RemoteVersion | None = None

    def update(self, served: ServedDirection) -> None:
        """Take over what the cluster says."""
        if served.state is State.STARTING and self._version is not None:
            return  # A deployer that was started again still looks for the replicas, which serve on.
        self.state, self._reason = served.state, served.reason
        if served.version is None:
            return
        self._replicas = max(1, served.version.replicas)
        self.admission.permits = self._permits * self._replicas
        self._slots.resize(served.version.in_flight * self._replicas)
        if self._version is None or self._version.served.application != served.version.application:
            self._version = self._open(served.version)

    @property
    def execution(self) -> Execution | None:
        """Where and in which precision the replicas run; None while none is known."""
        return self._version.execution if self._version is not None else None

    def status(self) -> DirectionStatus:
        """Return the state at this moment."""
        version = self._version
        return DirectionStatus(
            name=self.name,
            state=self.state,
            reason=self._reason,
            bundle=version.bundle if version is not None else None,
            execution=self.execution,
            discriminators=version is not None and version.bundle.manifest.discriminators,
            references=version is not None and version.bundle.manifest.reference,
            queued=self._slots.waiting,
            permits_held=self.admission.held,
            permits=self.admission.permits,
        )

    def require_ready(self) -> BundleInfo:
        """Return the bundle that serves.

        Raises:
            Loading, DirectionDefunct: none serves.
        """
        return self._serving().bundle

    @contextmanager
    def translator(self) -> Iterator[RemoteVersion]:
        """Yield the version that serves now; its replicas run on for a while after it was replaced.

        Raises:
            Loading, DirectionDefunct: none serves.
        """
        yield self._serving()

    def _serving(self) -> RemoteVersion:
        if self.state is State.STARTING:
            wait = with_jitter(_LOADING_RETRY_SECONDS)
            raise Loading(f"The direction {self.name} is still loading; try again in {wait} s.", wait)
        if self.state is State.DEFUNCT or self._version is None:
            raise DirectionDefunct(self.name)
        return self._version

    def _open(self, version: ServedVersion) -> RemoteVersion:
        # Without a check, because that would wait for Serve's controller in the event loop.
        handle = serve.get_deployment_handle(self.name, version.application, _check_exists=False)
        return RemoteVersion(self.name, version, handle, self._slots, self._record_run)

    def _record_run(self, event: RunFinished) -> None:
        # The replicas run side by side, so a place in the queue is free sooner.
        self.admission.record_run(event.seconds / self._replicas, event.pictures)
        self._events.publish(event)


class RemoteDirections(DirectionsByName[RemoteDirection]):
    """The directions of the cluster, in its order."""

    def __init__(self, *, permits: int, events: EngineEvents) -> None:
        super().__init__()
        self._permits, self._events = permits, events
        self._heard = False

    @property
    def loaded(self) -> bool:
        """Whether every direction that existed at the start serves or is defunct."""
        return self._loaded

    def update(self, served: Served) -> None:
        """Take over what the cluster serves."""
        self._directions = {name: self._updated(each) for name, each in served.items()}
        self._heard = True
        self._loaded = self._loaded or all(each.state is not State.STARTING for each in served.values())

    def not_ready_reason(self) -> str | None:
        """Return why the service is not ready, as a sentence; None if it is."""
        return super().not_ready_reason() if self._heard else "The cluster has not answered yet."

    def close(self) -> None:
        """Do nothing: the replicas serve other fronts."""

    def _updated(self, served: ServedDirection) -> RemoteDirection:
        direction = self._directions.get(served.name) or RemoteDirection(
            served.name, permits=self._permits, events=self._events
        )
        direction.update(served)
        return direction
