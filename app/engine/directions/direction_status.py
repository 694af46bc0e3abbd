"""A direction and its bundle as plain values."""

from __future__ import annotations

from typing import NamedTuple

from app.engine.directions.direction_state import State
from app.engine.runtime.session import Execution
from models.bundle.manifest import Manifest


class BundleInfo(NamedTuple):
    """What a verified bundle says about itself."""

    manifest: Manifest
    version: str
    card: str


class DirectionStatus(NamedTuple):
    """The state of one direction at one moment."""

    name: str
    state: State
    reason: str | None
    """Why it is degraded, defunct, or runs in float32 instead of a lower precision."""
    bundle: BundleInfo | None
    """The version that serves, or served last."""
    execution: Execution | None
    """Where and in which precision the model runs; None while none is open."""
    discriminators: bool
    """Whether the discriminators' heat maps are available."""
    references: bool
    """Whether the style of a reference can be encoded."""
    queued: int
    """Pictures that wait."""
    permits_held: int
    permits: int
