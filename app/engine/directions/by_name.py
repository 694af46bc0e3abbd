"""Directions by their names, and whether a service with them is ready."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

from app.engine.directions.direction_state import State
from app.engine.errors import UnknownDirection

NO_BUNDLE: Final = "No bundle was found; put one into the folder that UGATIT_BUNDLES_DIR names."


class _HasState(Protocol):
    @property
    def state(self) -> State: ...


D = TypeVar("D", bound=_HasState)


class DirectionsByName(Generic[D]):
    """Directions by their names, in the order in which a subclass keeps them."""

    def __init__(self) -> None:
        self._directions: dict[str, D] = {}
        self._loaded = False
        """Whether every direction that existed at the start was loaded, or is defunct."""

    def __iter__(self) -> Iterator[D]:
        return iter(list(self._directions.values()))

    def __getitem__(self, name: str) -> D:
        """Return the direction of that name.

        Raises:
            UnknownDirection: no direction has that name.
        """
        try:
            return self._directions[name]
        except KeyError:
            raise UnknownDirection(name, self._directions) from None

    def not_ready_reason(self) -> str | None:
        """Return why the service is not ready, as a sentence; None if it is.

        It is ready when every direction of the start was loaded and at least one serves. A direction that is
        added or reloaded later does not change that: the others still serve.
        """
        states = [direction.state for direction in self]
        if not states:
            return NO_BUNDLE
        serving, starting = any(state.serves for state in states), states.count(State.STARTING)
        if starting and not (self._loaded and serving):
            return f"Loading: {starting} of {len(states)} directions are not ready yet."
        return None if serving else "No direction can serve; GET /directions gives the reasons."
