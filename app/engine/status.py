"""The state of the engine at one moment, as plain values."""

from __future__ import annotations

from typing import NamedTuple

from app.engine.directions.direction_status import DirectionStatus
from app.engine.store.memory_store import StoreUsage


class StoreStatus(NamedTuple):
    """The state of the store of translations."""

    available: bool
    """Whether the last call was answered."""
    usage: StoreUsage | None
    """How much it holds; None for a store that this process shares with others."""
    lost: int
    """How many translations could not be kept."""


class EngineStatus(NamedTuple):
    """The state of all directions and of the store."""

    directions: list[DirectionStatus]
    """The preferred one first, then in alphabetical order."""
    store: StoreStatus
