"""One direction: the version that serves, its replacement by the next, and its state."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.engine.directions.direction_state import (
    Fault,
    FaultCleared,
    FaultRaised,
    GeneratorLost,
    Health,
    State,
)
from app.engine.directions.direction_status import BundleInfo, DirectionStatus
from app.engine.directions.reasons import without_folders
from app.engine.directions.translator import SchedulingLimits, Translator, TranslatorEvent
from app.engine.errors import DirectionDefunct, Loading
from app.engine.events import EngineEvents, RunFinished
from app.engine.retry import with_jitter
from app.engine.runtime.session import Execution, OpenModel
from app.engine.scheduling.admission import Admission
from models.bundle.directory import read_bundle
from models.bundle.errors import BundleError
from models.bundle.manifest import MANIFEST, version_of
from models.files.text import as_text

log = logging.getLogger("ugatit.engine")

_LOADING_RETRY_SECONDS: Final = 5

Fingerprint = tuple[object, ...]
"""The metadata of a directory's files: it changes when any of them is written."""


class Direction:
    """A translator that serves requests, or the reason why there is none."""

    def __init__(
        self, path: Path, open_models: Sequence[OpenModel], limits: SchedulingLimits, events: EngineEvents
    ) -> None:
        """Args:
        path: the bundle's directory.
        open_models: opens a model, for each device.
        limits: of the queue and of the runs.
        events: receive each run.
        """
        self.name = as_text(path.name)
        self.admission = Admission(limits.permits)
        self._path = path
        self._open_models = open_models
        self._limits = limits
        self._events = events
        self._health = Health(self.name)
        self._serving: Translator | None = None
        self._retired: list[Translator] = []
        self._fingerprint: Fingerprint | None = None

    @property
    def state(self) -> State:
        """The state of the direction."""
        return self._health.state

    @property
    def reason(self) -> str | None:
        """Why it is degraded, defunct, or runs in float32; without absolute paths, since clients read it."""
        serves = self._serving is not None and self.state.serves
        float32_reason = self._serving.float32_reason if self._serving is not None and serves else None
        reason = " ".join(filter(None, [self._health.reason, float32_reason]))
        return without_folders(reason, self._path.parent) or None

    @property
    def bundle(self) -> BundleInfo | None:
        """The version that serves, or served last."""
        return self._serving.bundle if self._serving is not None else None

    @property
    def execution(self) -> Execution | None:
        """Where and in which precision the model runs; None while none is open."""
        return self._serving.execution if self._serving is not None else None

    @property
    def queued(self) -> int:
        """How many pictures wait."""
        self._drop_finished()
        serving = [self._serving] if self._serving is not None else []
        return sum(translator.queued for translator in (*serving, *self._retired))

    def status(self) -> DirectionStatus:
        """Return the state at this moment."""
        return DirectionStatus(
            name=self.name,
            state=self.state,
            reason=self.reason,
            bundle=self.bundle,
            execution=self.execution,
            discriminators=self._serving is not None and self._serving.has_discriminators,
            references=self._serving is not None and self._serving.encodes_references,
            queued=self.queued,
            permits_held=self.admission.held,
            permits=self.admission.permits,
        )

    async def load(self, *, retry: bool = False) -> None:
        """Serve the bundle in the directory, if it is valid; the earlier version serves until then.

        Without a change in the directory nothing is done, except with `retry` for a direction that is not
        ready.
        """
        found = await asyncio.to_thread(fingerprint, self._path)
        changed, self._fingerprint = found != self._fingerprint, found
        if not changed and not (retry and self.state is not State.READY):
            return
        if self.state is State.DEFUNCT:
            self._health.restart()
        try:
            if not await self._is_served():
                await self._load_and_switch()
            self._health.apply(FaultCleared(Fault.BUNDLE))
        except BundleError as error:
            self._reject(str(error))
        except Exception as error:  # such as a disk error or too little memory: other directions must load
            log.exception("%s could not be loaded", self.name)
            self._reject(f"It could not be loaded: {error}")

    def require_ready(self) -> BundleInfo:
        """Return the bundle that serves.

        Raises:
            Loading, DirectionDefunct: none serves.
        """
        if self.state is State.STARTING:
            wait = with_jitter(_LOADING_RETRY_SECONDS)
            raise Loading(f"The direction {self.name} is still loading; try again in {wait} s.", wait)
        if self.state is State.DEFUNCT:
            raise DirectionDefunct(self.name)
        assert self.bundle is not None
        return self.bundle

    @contextmanager
    def translator(self) -> Iterator[Translator]:
        """Yield the version that serves now; it stays open until the end of the block.

        Raises:
            Loading, DirectionDefunct: none serves.
        """
        self.require_ready()
        assert self._serving is not None
        serving = self._serving
        with serving.use():
            yield serving

    def retire(self) -> None:
        """Close the models after the last picture that uses them: the bundle was removed."""
        if self._serving is not None:
            self._retire(self._serving)

    @property
    def finished(self) -> bool:
        """Whether every translator that was retired has finished its last picture."""
        self._drop_finished()
        return not self._retired

    def close(self) -> None:
        """Stop at once and cancel the waiting requests."""
        for translator in (*self._retired, *([self._serving] if self._serving is not None else [])):
            translator.close()

    async def _is_served(self) -> bool:
        """Return whether the bundle in the directory serves already, on every device.

        Raises:
            BundleError: its manifest is that of the serving version, but a file is damaged.
        """
        bundle = self.bundle
        if bundle is None or not self.state.serves or self._serving is None or not self._serving.intact:
            return False
        if await asyncio.to_thread(_version_in, self._path) != bundle.version:
            return False
        await asyncio.to_thread(read_bundle, self._path)
        return True

    async def _load_and_switch(self) -> None:
        """Load the bundle in the directory while the earlier version serves, then serve it instead."""
        fresh = self._new_translator()
        try:
            await fresh.load()
        except BaseException:
            fresh.close()
            raise
        if self._serving is not None:
            self._retire(self._serving)
        self._serving = fresh
        self._health.set_ready()
        assert fresh.bundle is not None
        assert fresh.execution is not None
        provider, precision = fresh.execution
        log.info("%s is ready on %s in %s, version %s", self.name, provider, precision, fresh.bundle.version)

    def _new_translator(self) -> Translator:
        def handle(event: TranslatorEvent) -> None:
            self._handle(translator, event)

        translator = Translator(self._path, self._open_models, self._limits, handle)
        return translator

    def _handle(self, translator: Translator, event: TranslatorEvent) -> None:
        if isinstance(event, RunFinished):
            self.admission.record_run(event.seconds, event.pictures)
            self._events.publish(event)
        elif translator is self._serving:
            self._health.apply(event)
            if isinstance(event, GeneratorLost):
                translator.release_models()

    def _reject(self, reason: str) -> None:
        """Report that the bundle in the directory cannot serve."""
        reason = as_text(reason)
        if self._serving is not None and self.state.serves:
            assert self.bundle is not None
            version = self.bundle.version
            sentence = f"The bundle in its folder was rejected, so version {version} still serves: {reason}"
            self._health.apply(FaultRaised(Fault.BUNDLE, sentence))
        else:
            self._health.set_defunct(reason)

    def _retire(self, translator: Translator) -> None:
        translator.retire()
        self._retired.append(translator)
        self._drop_finished()

    def _drop_finished(self) -> None:
        self._retired = [translator for translator in self._retired if not translator.finished]


def fingerprint(path: Path) -> Fingerprint:
    """Return the names, inodes, sizes and times of a directory's files."""
    try:
        files = sorted((entry.name, entry.stat(follow_symlinks=False)) for entry in _entries(path))
    except OSError as error:
        return ("unreadable", error.errno)
    return tuple(
        (name, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in files
    )


def _entries(path: Path) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        return list(entries)


def _version_in(path: Path) -> str | None:
    try:
        return version_of((path / MANIFEST).read_bytes())
    except OSError:
        return None
