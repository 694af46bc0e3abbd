"""All directions of a directory, loaded one after the other while the service already answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from app.engine.directions.direction import Direction
from app.engine.directions.direction_state import State
from app.engine.directions.translator import Limits
from app.engine.errors import UnknownDirection
from app.engine.runtime.session import OpenModel
from models.bundle.manifest import DIRECTION, MANIFEST
from models.files.text import as_text

log = logging.getLogger("ugatit.engine")

_TURN_SECONDS: Final = 30.0
"""So long one bundle may load alone; then the next begins beside it, which may hang."""
_GONE_SECONDS: Final = 1.0
"""A directory that is being replaced is away for a moment; one that is away for longer is gone."""

_NO_BUNDLE: Final = "There is no bundle; put one into the folder that UGATIT_BUNDLES_DIR names."


class Registry:
    """The directions by name: the preferred one, then the others in alphabetical order."""

    def __init__(
        self, bundles_dir: Path, open_model: OpenModel, limits: Limits, *, preferred: str = ""
    ) -> None:
        self.bundles_dir = bundles_dir
        self.observe_run: Callable[[str, float, int], None] = lambda _direction, _seconds, _pictures: None
        """Told the direction, the seconds and the number of pictures of each run."""
        self._open_model = open_model
        self._limits = limits
        self._preferred = preferred
        self._leaving: list[Direction] = []
        self._loaded = False
        self._directions: dict[str, Direction] = {}
        self._ignored: set[Path] = set()
        self._add(self._bundles())
        if not self._directions:
            log.warning("%s The folder is %s.", _NO_BUNDLE, as_text(bundles_dir.resolve()))

    async def load(self) -> None:
        """Load every direction, one at a time: each uses all cores."""
        await self._load(again=False)
        self._loaded = True

    async def reload(self, *, again: bool = False) -> None:
        """Take up what is new or changed in the folder, and give up what is gone from it.

        Args:
            again: also give what is out of order another chance.
        """
        try:
            found = await asyncio.to_thread(self._bundles, required=True)
            await self._give_up_missing({as_text(path.name) for path in found})
        except OSError as error:
            log.error("%s cannot be read (%s); what was loaded serves on", self.bundles_dir, error.strerror)
            return
        self._add(path for path in found if as_text(path.name) not in self._directions)
        await self._load(again=again)

    def __iter__(self) -> Iterator[Direction]:
        return iter(list(self._directions.values()))

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
        """A sentence for people, or None when the service can do its work.

        That is when every direction of the start is loaded, and one of them can serve. What is added or
        reloaded later does not make the service unready: the others go on.
        """
        states = [direction.state for direction in self]
        if not states:
            return _NO_BUNDLE
        serving, starting = any(state.serves for state in states), states.count(State.STARTING)
        if starting and not (self._loaded and serving):
            return f"Loading: {starting} of {len(states)} directions are not ready yet."
        return None if serving else "No direction can serve; /directions tells why."

    def close(self) -> None:
        """Let all models go."""
        for direction in (*self, *self._leaving):
            direction.close()

    def _bundles(self, *, required: bool = False) -> list[Path]:
        """Find the bundles, and note once of every other directory that it is ignored.

        A direction that is offered stays a bundle when its manifest is lost: what was loaded serves on.
        """
        found = bundle_directories(self.bundles_dir, required=required)
        known = [path for path in found.others if as_text(path.name) in self._directions]
        for path in found.others:
            if path not in known and path not in self._ignored:
                log.info("%s is ignored: it has no %s, so it is not a bundle", as_text(path), MANIFEST)
                self._ignored.add(path)
        return sorted([*found.bundles, *known])

    async def _load(self, *, again: bool) -> None:
        async with asyncio.TaskGroup() as group:
            for direction in self:
                await asyncio.wait({group.create_task(direction.load(again=again))}, timeout=_TURN_SECONDS)

    def _add(self, paths: Iterable[Path]) -> None:
        for path in paths:
            name = as_text(path.name)
            observe = partial(self._observe, name)
            self._directions[name] = Direction(path, self._open_model, self._limits, observe_run=observe)
        order = sorted(self._directions, key=lambda name: (name != self._preferred, name))
        self._directions = {name: self._directions[name] for name in order}

    async def _give_up_missing(self, found: set[str]) -> None:
        if self._directions.keys() <= found:
            return
        await asyncio.sleep(_GONE_SECONDS)
        there = {as_text(path.name) for path in await asyncio.to_thread(self._bundles, required=True)}
        for name in self._directions.keys() - found - there:
            log.info("%s is gone from %s, and is not offered any more", name, self.bundles_dir)
            direction = self._directions.pop(name)
            direction.retire()
            self._leaving = [one for one in (*self._leaving, direction) if not one.gone]

    def _observe(self, direction: str, seconds: float, pictures: int) -> None:
        self.observe_run(direction, seconds, pictures)


class Directories(NamedTuple):
    """The directories below the bundles' one. Names with a leading dot are half-written bundles."""

    bundles: list[Path]
    others: list[Path]
    """Those without a manifest, such as lost+found: whatever a system or a person keeps there."""


def bundle_directories(bundles_dir: Path, *, required: bool = False) -> Directories:
    """Tell bundles, whole or not, from other directories.

    Raises:
        OSError: `bundles_dir` cannot be read, and is required.
    """
    if not required and not bundles_dir.is_dir():
        return Directories([], [])
    found = sorted(path for path in bundles_dir.iterdir() if path.is_dir() and not path.name.startswith("."))
    bundles = [path for path in found if _is_bundle(path)]
    return Directories(bundles, [path for path in found if path not in bundles])


def _is_bundle(path: Path) -> bool:
    try:
        (path / MANIFEST).lstat()
    except PermissionError:  # a bundle that the service may not read is defunct, and says why
        return DIRECTION.fullmatch(path.name) is not None
    except OSError:
        return False
    return True
