"""What a cluster serves at one moment, as plain values that travel between its processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from numpy.typing import NDArray

from app.engine.directions.direction_state import State
from app.engine.directions.direction_status import BundleInfo
from app.engine.runtime.session import Execution


class ServedVersion(NamedTuple):
    """One version of a bundle whose replicas run."""

    application: str
    """The Serve application of its replicas."""
    bundle: BundleInfo
    execution: Execution
    replicas: int
    """How many run."""
    in_flight: int
    """Frames that each replica holds at most: those of a run, and those of the next."""


class ServedDirection(NamedTuple):
    """A direction of the cluster."""

    name: str
    state: State
    reason: str | None
    """Why it is degraded or defunct."""
    version: ServedVersion | None
    """The one that serves."""


Served = Mapping[str, ServedDirection]
"""All directions by name."""


class ReplicaRun(NamedTuple):
    """A replica's outputs for one frame."""

    outputs: Mapping[str, NDArray[Any]]
    """Arrays by name, without the batch dimension."""
    queue_seconds: float
    """In the replica."""
    run_seconds: float
    batch: int
    """How many frames its run had, this one included."""
    first: bool
    """Whether it was the first frame of its run, so that each run is counted once."""
