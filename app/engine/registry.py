"""All directions of a directory, loaded one after the other while the service already answers."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from app.engine.direction import Direction, Limits, State
from app.engine.errors import UnknownDirection
from app.engine.session import OpenModel

log = logging.getLogger("ugatit.engine")


class Registry:
    """The directions by name: the preferred one, then the others in alphabetical order."""

    def __init__(
        self, bundles_dir: Path, open_model: OpenModel, limits: Limits, *, preferred: str = ""
    ) -> None:
        self.bundles_dir = bundles_dir
        paths = sorted(bundle_directories(bundles_dir), key=lambda path: (path.name != preferred, path.name))
        self._directions = {path.name: Direction(path, open_model, limits) for path in paths}
        if not self._directions:
            log.warning("%s", self.why_not_ready())

    async def load(self) -> None:
        """Load every direction, one at a time: each uses all cores."""
        for direction in self:
            await direction.load()

    def __iter__(self) -> Iterator[Direction]:
        return iter(self._directions.values())

    def __getitem__(self, name: str) -> Direction:
        """The direction of that name.

        Raises:
            UnknownDirection: there is none.
        """
        try:
            return self._directions[name]
        except KeyError:
            raise UnknownDirection(name, self._directions) from None

    def why_not_ready(self) -> str | None:
        """A sentence for people, or None when every direction is loaded and one of them can serve."""
        states = [direction.state for direction in self]
        if not states:
            where = self.bundles_dir.resolve()
            return f"There is no bundle in {where}; put one there, or set UGATIT_BUNDLES_DIR."
        if State.STARTING in states:
            return f"Loading: {states.count(State.STARTING)} of {len(states)} directions are not ready yet."
        if State.READY not in states:
            return "No direction can serve; /directions tells why."
        return None

    def close(self) -> None:
        """Let all models go."""
        for direction in self:
            direction.close()


def bundle_directories(bundles_dir: Path) -> list[Path]:
    """The directories that should be bundles; names with a leading dot are half-written ones."""
    if not bundles_dir.is_dir():
        return []
    return sorted(path for path in bundles_dir.iterdir() if path.is_dir() and not path.name.startswith("."))
