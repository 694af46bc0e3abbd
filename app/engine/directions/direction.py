"""One direction: the version that serves, how the next takes over, and the state it is in."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.engine.directions.direction_state import Condition, State, Trouble
from app.engine.directions.translator import Facts, Limits, Listener, Translator
from app.engine.errors import DirectionDefunct, Loading
from app.engine.paths import without_folders
from app.engine.retry import spread
from app.engine.runtime.session import OpenModel
from app.engine.scheduling.admission import Admission
from models.bundle.directory import read_bundle
from models.bundle.errors import BundleError
from models.bundle.manifest import MANIFEST, version_of
from models.files.text import as_text

log = logging.getLogger("ugatit.engine")

_LOADING_RETRY_SECONDS: Final = 5

Look = tuple[object, ...]
"""What a directory looks like from outside: the same look, the same bundle."""


class Direction:
    """A translator that can be asked, or the reason why it cannot."""

    def __init__(
        self,
        path: Path,
        open_model: OpenModel,
        limits: Limits,
        *,
        observe_run: Callable[[float, int], None] = lambda _seconds, _pictures: None,
    ) -> None:
        self.name = as_text(path.name)
        self.admission = Admission(limits.permits)
        self._path = path
        self._open_model = open_model
        self._limits = limits
        self._observe_run = observe_run
        self._condition = Condition(self.name)
        self._serving: Translator | None = None
        self._retired: list[Translator] = []
        self._seen: Look | None = None

    @property
    def state(self) -> State:
        """Where it is in its life."""
        return self._condition.state

    @property
    def reason(self) -> str | None:
        """Why it is degraded, defunct, or in float32 after all; without absolute paths, which the log has."""
        note = self._serving.note if self._serving is not None and self.state.serves else None
        reason = " ".join(filter(None, [self._condition.reason, note]))
        return without_folders(reason, self._path.parent) or None

    @property
    def facts(self) -> Facts | None:
        """What is known of the version that serves, or served last."""
        return self._serving.facts if self._serving is not None else None

    @property
    def discriminates(self) -> bool:
        """Whether the discriminators' attention can be asked for."""
        return self._serving is not None and self._serving.discriminates

    @property
    def provider(self) -> str | None:
        """The execution provider truly in use; None while there is no model."""
        return self._serving.provider if self._serving is not None else None

    @property
    def precision(self) -> str | None:
        """What the model computes in; None while there is none."""
        return self._serving.precision if self._serving is not None else None

    @property
    def depth(self) -> int:
        """How many pictures wait."""
        self._forget_gone()
        serving = [self._serving] if self._serving is not None else []
        return sum(translator.depth for translator in (*serving, *self._retired))

    async def load(self, *, again: bool = False) -> None:
        """Serve what lies in the directory now, if it is good; whatever served before serves until then.

        Nothing is done where nothing has changed, unless it is to be tried `again`: then what is out of
        order gets another chance.
        """
        look = await asyncio.to_thread(look_at, self._path)
        changed, self._seen = look != self._seen, look
        if not changed and not (again and self.state is not State.READY):
            return
        if self.state is State.DEFUNCT:
            self._condition.start_again()
        try:
            if not await self._is_served():
                await self._take_over()
            self._condition.recover(Trouble.BUNDLE)
        except BundleError as error:
            self._refuse(str(error))
        except Exception as error:  # a disk that fails, memory that is short: the others must go on
            log.exception("%s could not be loaded", self.name)
            self._refuse(f"It could not be loaded: {error}")

    def require_ready(self) -> Facts:
        """What is known of the bundle.

        Raises:
            Loading, DirectionDefunct: the direction cannot be asked.
        """
        if self.state is State.STARTING:
            wait = spread(_LOADING_RETRY_SECONDS)
            raise Loading(f"The direction {self.name} is still loading; try again in {wait} s.", wait)
        if self.state is State.DEFUNCT:
            raise DirectionDefunct(self.name)
        assert self.facts is not None
        return self.facts

    @contextmanager
    def translator(self) -> Iterator[Translator]:
        """The version that serves now; it stays to the end of the block, whatever is loaded meanwhile.

        Raises:
            Loading, DirectionDefunct: the direction cannot be asked.
        """
        self.require_ready()
        assert self._serving is not None
        serving = self._serving
        with serving.used():
            yield serving

    def retire(self) -> None:
        """The bundle is gone: let the models go after the last picture that uses them."""
        if self._serving is not None:
            self._step_down(self._serving)

    @property
    def gone(self) -> bool:
        """Whether it was retired and its last picture is done."""
        self._forget_gone()
        return not self._retired

    def close(self) -> None:
        """Stop at once; whoever waits is cancelled."""
        for translator in (*self._retired, *([self._serving] if self._serving is not None else [])):
            translator.close()

    async def _is_served(self) -> bool:
        """Whether what lies there is, to the last byte, what serves in full health.

        Raises:
            BundleError: it has the manifest of what serves, but is not what that describes.
        """
        facts = self.facts
        if facts is None or not self.state.serves or self._serving is None or not self._serving.whole:
            return False
        if await asyncio.to_thread(_version_in, self._path) != facts.version:
            return False
        await asyncio.to_thread(read_bundle, self._path)
        return True

    async def _take_over(self) -> None:
        """Load what lies there beside what serves, then let it serve instead."""
        fresh = self._make()
        try:
            await fresh.load()
        except BaseException:
            fresh.close()
            raise
        if self._serving is not None:
            self._step_down(self._serving)
        self._serving = fresh
        self._condition.serve()
        assert fresh.facts is not None
        version = fresh.facts.version
        log.info("%s is ready on %s in %s, version %s", self.name, self.provider, self.precision, version)

    def _make(self) -> Translator:
        def suffers(trouble: Trouble, sentence: str) -> None:
            if self._serving is made:
                self._condition.suffer(trouble, sentence)

        def recovers(trouble: Trouble) -> None:
            if self._serving is made:
                self._condition.recover(trouble)

        def gives_up(reason: str) -> None:
            if self._serving is made:
                self._condition.give_up(reason)
                made.let_go()

        listener = Listener(self._ran, suffers, recovers, gives_up)
        made = Translator(self._path, self._open_model, self._limits, listener)
        return made

    def _refuse(self, why: str) -> None:
        why = as_text(why)
        if self._serving is not None and self.state.serves:
            assert self.facts is not None
            sentence = f"What lies in its folder was refused, version {self.facts.version} serves on: {why}"
            self._condition.suffer(Trouble.BUNDLE, sentence)
        else:
            self._condition.give_up(why)

    def _step_down(self, translator: Translator) -> None:
        translator.retire()
        self._retired.append(translator)
        self._forget_gone()

    def _forget_gone(self) -> None:
        self._retired = [translator for translator in self._retired if not translator.gone]

    def _ran(self, seconds: float, pictures: int) -> None:
        self.admission.measured(seconds, pictures)
        self._observe_run(seconds, pictures)


def look_at(path: Path) -> Look:
    """Names, sizes, times and numbers of a directory's files: what changes when any of them is written."""
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
