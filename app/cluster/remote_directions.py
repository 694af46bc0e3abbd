"""The directions of a cluster, as its front knows them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from ray import serve

from app.cluster.fair_slots import FairSlots
from app.cluster.remote_version import RemoteVersion
from app.cluster.served import Served, ServedDirection, ServedVersion
from app.engine.directions.direction_state import State
from app.engine.directions.direction_status import BundleInfo, DirectionStatus
from app.engine.errors import DirectionDefunct, Loading, UnknownDirection
from app.engine.events import EngineEvents, RunFinished
from app.engine.retry import with_jitter
from app.engine.scheduling.admission import Admission

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
        self._state = State.STARTING
        self._reason: str | None = None
        self._replicas = 1
        self._version: RemoteVersion | None = None

    def update(self, served: ServedDirection) -> None:
        """Take over what the cluster says."""
        self._state, self._reason = served.state, served.reason
        if served.version is None:
            return
        self._replicas = max(1, served.version.replicas)
        self.admission.permits = self._permits * self._replicas
        self._slots.resize(served.version.in_flight * self._replicas)
        if self._version is None or self._version.served.application != served.version.application:
            self._version = self._open(served.version)

    def status(self) -> DirectionStatus:
        """Return the state at this moment."""
        version = self._version
        return DirectionStatus(
            name=self.name,
            state=self._state,
            reason=self._reason,
            bundle=version.bundle if version is not None else None,
            execution=version.execution if version is not None else None,
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
        if self._state is State.STARTING:
            wait = with_jitter(_LOADING_RETRY_SECONDS)
            raise Loading(f"The direction {self.name} is still loading; try again in {wait} s.", wait)
        if self._state is State.DEFUNCT or self._version is None:
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


class RemoteDirections:
    """The directions by name, in the cluster's order."""

    def __init__(self, *, permits: int, events: EngineEvents) -> None:
        self._permits, self._events = permits, events
        self._directions: dict[str, RemoteDirection] = {}
        self._heard = self._loaded = False

    @property
    def loaded(self) -> bool:
        """Whether every direction that existed at the start serves or is defunct."""
        return self._loaded

    def update(self, served: Served) -> None:
        """Take over what the cluster serves."""
        self._directions = {name: self._updated(each) for name, each in served.items()}
        self._heard = True
        self._loaded = self._loaded or all(each.state is not State.STARTING for each in served.values())

    def __iter__(self) -> Iterator[RemoteDirection]:
        return iter(list(self._directions.values()))

    def __getitem__(self, name: str) -> RemoteDirection:
        """Return the direction of that name.

        Raises:
            UnknownDirection: there is none.
        """
        try:
            return self._directions[name]
        except KeyError:
            raise UnknownDirection(name, self._directions) from None

    def not_ready_reason(self) -> str | None:
        """Return why the service is not ready, as a sentence; None if it is."""
        if not self._heard:
            return "The cluster has not answered yet."
        states = [direction.status().state for direction in self]
        if not states:
            return "There is no bundle; put one into the folder that UGATIT_BUNDLES_DIR names."
        serving, starting = any(state.serves for state in states), states.count(State.STARTING)
        if starting and not (self._loaded and serving):
            return f"Loading: {starting} of {len(states)} directions are not ready yet."
        return None if serving else "No direction can serve; GET /directions gives the reasons."

    def close(self) -> None:
        """Do nothing: the replicas serve other fronts."""

    def _updated(self, served: ServedDirection) -> RemoteDirection:
        direction = self._directions.get(served.name) or RemoteDirection(
            served.name, permits=self._permits, events=self._events
        )
        direction.update(served)
        return direction
