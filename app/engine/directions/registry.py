"""All directions of the bundles directory, loaded one after the other while the service already answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from app.engine.directions.by_name import NO_BUNDLE, DirectionsByName
from app.engine.directions.direction import Direction
from app.engine.directions.translator import SchedulingLimits
from app.engine.events import EngineEvents
from app.engine.runtime.session import OpenModel
from models.bundle.manifest import DIRECTION, MANIFEST
from models.files.text import as_text

log = logging.getLogger("ugatit.engine")

_LOAD_ALONE_SECONDS: Final = 30.0
"""How long a bundle may load alone; after that the next starts beside it, since loading may hang."""
_REPLACE_SECONDS: Final = 1.0
"""A directory is missing for a moment while it is replaced; one that is missing for longer was removed."""


class Registry(DirectionsByName[Direction]):
    """The directions by name: the preferred one, then the others in alphabetical order."""

    def __init__(
        self,
        bundles_dir: Path,
        open_models: Sequence[OpenModel],
        limits: SchedulingLimits,
        events: EngineEvents,
        *,
        preferred: str = "",
    ) -> None:
        """Find the bundles; `load` loads them.

        Args:
            bundles_dir: holds a directory for each bundle.
            open_models: opens a model, for each device.
            limits: of each direction's queue and runs.
            events: receive each run.
            preferred: the name of the direction to list first.
        """
        super().__init__()
        self.bundles_dir = bundles_dir
        self._open_models = open_models
        self._limits = limits
        self._events = events
        self._preferred = preferred
        self._retired: list[Direction] = []
        self._ignored: set[Path] = set()
        self._add(self._bundles())
        if not self._directions:
            log.warning("%s The folder is %s.", NO_BUNDLE, as_text(bundles_dir.resolve()))

    async def load(self) -> None:
        """Load every direction, one at a time: each uses all cores."""
        await self._load(retry=False)
        self._loaded = True

    async def reload(self, *, retry: bool = False) -> None:
        """Load new and changed bundles, and retire the directions whose bundles were removed.

        Args:
            retry: also load unchanged bundles again whose directions are not ready.
        """
        try:
            found = await asyncio.to_thread(self._bundles, required=True)
            await self._retire_missing({as_text(path.name) for path in found})
        except OSError as error:
            log.error(
                "%s cannot be read (%s); the loaded bundles still serve", self.bundles_dir, error.strerror
            )
            return
        self._add(path for path in found if as_text(path.name) not in self._directions)
        await self._load(retry=retry)

    def close(self) -> None:
        """Close all directions."""
        for direction in (*self, *self._retired):
            direction.close()

    def _bundles(self, *, required: bool = False) -> list[Path]:
        """Return the bundles, and log once for every other directory that it is ignored.

        A known direction counts as a bundle when its manifest is lost: its loaded version still serves.
        """
        found = bundle_directories(self.bundles_dir, required=required)
        known = [path for path in found.ignored if as_text(path.name) in self._directions]
        for path in found.ignored:
            if path not in known and path not in self._ignored:
                log.info("%s is ignored: it has no %s, so it is not a bundle", as_text(path), MANIFEST)
                self._ignored.add(path)
        return sorted([*found.bundles, *known])

    async def _load(self, *, retry: bool) -> None:
        async with asyncio.TaskGroup() as group:
            for direction in self:
                task = group.create_task(direction.load(retry=retry))
                await asyncio.wait({task}, timeout=_LOAD_ALONE_SECONDS)

    def _add(self, paths: Iterable[Path]) -> None:
        for path in paths:
            direction = Direction(path, self._open_models, self._limits, self._events)
            self._directions[direction.name] = direction
        order = sorted(self._directions, key=lambda name: (name != self._preferred, name))
        self._directions = {name: self._directions[name] for name in order}

    async def _retire_missing(self, found: set[str]) -> None:
        if self._directions.keys() <= found:
            return
        await asyncio.sleep(_REPLACE_SECONDS)
        present = {as_text(path.name) for path in await asyncio.to_thread(self._bundles, required=True)}
        for name in self._directions.keys() - found - present:
            log.info("%s was removed from %s and is no longer offered", name, self.bundles_dir)
            direction = self._directions.pop(name)
            direction.retire()
            self._retired = [each for each in (*self._retired, direction) if not each.finished]


class BundleDirectories(NamedTuple):
    """The directories in the bundles directory, without those of half-written bundles (a leading dot)."""

    bundles: list[Path]
    ignored: list[Path]
    """Those without a manifest, such as lost+found."""


def bundle_directories(bundles_dir: Path, *, required: bool = False) -> BundleDirectories:
    """Return the bundles, valid or not, and the other directories.

    Raises:
        OSError: `bundles_dir` cannot be read, and is required.
    """
    if not required and not bundles_dir.is_dir():
        return BundleDirectories([], [])
    found = sorted(path for path in bundles_dir.iterdir() if path.is_dir() and not path.name.startswith("."))
    bundles = [path for path in found if _is_bundle(path)]
    return BundleDirectories(bundles, [path for path in found if path not in bundles])


def _is_bundle(path: Path) -> bool:
    try:
        (path / MANIFEST).lstat()
    except PermissionError:  # an unreadable bundle is offered as defunct, with the reason
        return DIRECTION.fullmatch(path.name) is not None
    except OSError:
        return False
    return True
