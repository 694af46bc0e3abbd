"""What a cluster serves at one moment, as plain values that travel between its processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from app.engine.directions.direction_state import State
from app.engine.directions.direction_status import BundleInfo
from app.engine.events import RunFinished
from app.engine.runtime.session import Execution
from app.engine.scheduling.batcher import Inference


class ServedVersion(NamedTuple):
    """One version of a bundle whose replicas run."""

    application: str
    """The Serve application of its replicas."""
    bundle: BundleInfo
    execution: Execution
    float32_reason: str | None
    """Why the generator runs in float32 instead of a lower precision; None if it does not."""
    replicas: int
    """How many run."""
    in_flight: int
    """Frames that each replica holds at most: those of a run, and those of the next."""


class ServedDirection(NamedTuple):
    """A direction of the cluster."""

    name: str
    state: State
    reason: str | None
    """Why it is degraded, defunct, or runs in float32."""
    version: ServedVersion | None
    """The one that serves."""


Served = Mapping[str, ServedDirection]
"""All directions by name."""


class ReplicaRun(NamedTuple):
    """A replica's outputs for one frame."""

    inference: Inference
    finished: list[RunFinished]
    """The replica's runs since its last answer, so that each is counted once."""
