"""The state of a direction, its legal transitions, and the reason for it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

log = logging.getLogger("ugatit.engine")


class State(StrEnum):
    """The state of a direction."""

    STARTING = "starting"
    """Its bundle is being verified and its model warmed up."""
    READY = "ready"
    DEGRADED = "degraded"
    """It translates, but with a fault, or a fault is being repaired."""
    DEFUNCT = "defunct"
    """It cannot translate; a new bundle or a reload starts it again."""

    @property
    def serves(self) -> bool:
        """Whether pictures are translated."""
        return self in (State.READY, State.DEGRADED)


TRANSITIONS: Final[Mapping[State, frozenset[State]]] = {
    State.STARTING: frozenset({State.READY, State.DEFUNCT}),
    State.READY: frozenset({State.DEGRADED, State.DEFUNCT}),
    State.DEGRADED: frozenset({State.READY, State.DEFUNCT}),
    State.DEFUNCT: frozenset({State.STARTING}),
}
"""The states that may follow each state."""


class Fault(StrEnum):
    """What can be wrong with a direction that serves."""

    GENERATOR = "generator"
    """It failed and is being replaced."""
    DEVICE = "device"
    """The generator is broken on one of several devices."""
    DISCRIMINATORS = "discriminators"
    """They failed and are being replaced, or are broken."""
    ANY_SHAPE = "any_shape"
    """The models for photos at their own shape failed and are being replaced, or are broken."""
    STYLE_ENCODER = "style_encoder"
    """It failed and is being replaced, or is broken."""
    BUNDLE = "bundle"
    """The bundle in the folder was rejected; an earlier version serves."""


class FaultRaised(NamedTuple):
    """A fault occurred; the direction still serves."""

    fault: Fault
    reason: str
    """A sentence."""


class FaultCleared(NamedTuple):
    """A fault was repaired."""

    fault: Fault


class GeneratorLost(NamedTuple):
    """The generator is broken on every device: the direction cannot translate."""

    reason: str
    """A sentence."""


HealthEvent = FaultRaised | FaultCleared | GeneratorLost


class Health:
    """The state of one direction. Its faults decide between ready and degraded."""

    def __init__(self, direction: str) -> None:
        self._direction = direction
        self._state = State.STARTING
        self._faults: dict[Fault, str] = {}
        self._defunct_reason: str | None = None

    @property
    def state(self) -> State:
        """The state of the direction."""
        return self._state

    @property
    def reason(self) -> str | None:
        """Why it is degraded or defunct, in sentences; None without a fault."""
        return self._defunct_reason or " ".join(self._faults.values()) or None

    def set_ready(self) -> None:
        """Clear all faults: a model is verified and warm."""
        if self._state is State.DEFUNCT:
            self.restart()
        self._faults.clear()
        if self._state is not State.READY:
            self._move(State.READY)

    def apply(self, event: HealthEvent) -> None:
        """Update the state. Faults count only while the direction serves."""
        match event:
            case FaultRaised(fault, reason) if self._state.serves:
                self._faults[fault] = reason
                log.warning("%s is degraded: %s", self._direction, reason)
                self._follow_faults()
            case FaultCleared(fault):
                if self._faults.pop(fault, None) is not None and self._state.serves:
                    self._follow_faults()
            case GeneratorLost(reason):
                self.set_defunct(reason)

    def set_defunct(self, reason: str) -> None:
        """Mark the direction as unable to translate."""
        if self._state is not State.DEFUNCT:
            self._move(State.DEFUNCT)
            self._defunct_reason = reason
            log.error("%s is defunct: %s", self._direction, reason)

    def restart(self) -> None:
        """Move a defunct direction back to starting."""
        self._move(State.STARTING)
        self._defunct_reason = None
        self._faults.clear()

    def _follow_faults(self) -> None:
        state = State.DEGRADED if self._faults else State.READY
        if state is not self._state:
            self._move(state)

    def _move(self, state: State) -> None:
        assert state in TRANSITIONS[self._state], f"{self._state} -> {state}"
        self._state = state
