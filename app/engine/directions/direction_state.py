"""The state of a direction, how it may change, and why it is what it is."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

log = logging.getLogger("ugatit.engine")


class State(StrEnum):
    """Where a direction is in its life."""

    STARTING = "starting"
    """Its bundle is being verified, its model warmed up."""
    READY = "ready"
    DEGRADED = "degraded"
    """It translates, but something is wrong, or being mended."""
    DEFUNCT = "defunct"
    """It cannot translate; a new bundle, or being told to reload, starts it again."""

    @property
    def serves(self) -> bool:
        """Whether pictures are translated."""
        return self in (State.READY, State.DEGRADED)


LEGAL: Final[Mapping[State, frozenset[State]]] = {
    State.STARTING: frozenset({State.READY, State.DEFUNCT}),
    State.READY: frozenset({State.DEGRADED, State.DEFUNCT}),
    State.DEGRADED: frozenset({State.READY, State.DEFUNCT}),
    State.DEFUNCT: frozenset({State.STARTING}),
}
"""The moves that there are."""


class Trouble(StrEnum):
    """What can be wrong with a direction that serves."""

    GENERATOR = "generator"
    """It failed, and is being replaced."""
    DEVICE = "device"
    """One of its copies on several devices is given up."""
    DISCRIMINATORS = "discriminators"
    """They failed, and are being replaced or are given up."""
    BUNDLE = "bundle"
    """What lies in the folder now was refused."""


class Condition:
    """The state of one direction. What is wrong with it decides between ready and degraded."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._state = State.STARTING
        self._troubles: dict[Trouble, str] = {}
        self._why_defunct: str | None = None

    @property
    def state(self) -> State:
        """Where the direction is in its life."""
        return self._state

    @property
    def reason(self) -> str | None:
        """Why it is degraded or defunct, in sentences; None where all is well."""
        return self._why_defunct or " ".join(self._troubles.values()) or None

    def serve(self) -> None:
        """Its model is verified and warm, and all is well."""
        if self._state is State.DEFUNCT:
            self.start_again()
        self._troubles.clear()
        if self._state is not State.READY:
            self._move(State.READY)

    def suffer(self, trouble: Trouble, sentence: str) -> None:
        """Something is wrong, though it serves."""
        if self._state.serves:
            self._troubles[trouble] = sentence
            log.warning("%s is degraded: %s", self._name, sentence)
            self._follow_troubles()

    def recover(self, trouble: Trouble) -> None:
        """That trouble is over."""
        if self._troubles.pop(trouble, None) is not None and self._state.serves:
            self._follow_troubles()

    def give_up(self, reason: str) -> None:
        """It cannot serve (any more)."""
        if self._state is not State.DEFUNCT:
            self._move(State.DEFUNCT)
            self._why_defunct = reason
            log.error("%s is defunct: %s", self._name, reason)

    def start_again(self) -> None:
        """A defunct direction gets another chance."""
        self._move(State.STARTING)
        self._why_defunct = None
        self._troubles.clear()

    def _follow_troubles(self) -> None:
        state = State.DEGRADED if self._troubles else State.READY
        if state is not self._state:
            self._move(state)

    def _move(self, state: State) -> None:
        assert state in LEGAL[self._state], f"{self._state} -> {state}"
        self._state = state
