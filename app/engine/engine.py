"""The engine as others see it: translate a picture, ask where the networks looked, stop in good order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Literal, NamedTuple

from app.engine.directions.bundle_watcher import Follower
from app.engine.directions.direction import Direction
from app.engine.directions.registry import Registry
from app.engine.directions.translator import Facts, Limits
from app.engine.errors import AttentionGone, DeadlineExceeded, Draining, NoSuchNetwork, UnknownDirection
from app.engine.runtime.runtime import Runtime, batch_shapes, default_max_batch, replicas
from app.engine.runtime.session import OpenModel
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.runner import Patience
from app.engine.store.choose_store import open_store
from app.engine.store.memory_store import AttentionStore, Entry, Map, probability_of_source
from app.settings.settings import Settings
from models.images.decode import PictureLimits, decode_photo
from models.images.frame import Fit, Frame, frame, shown_size

Network = Literal["generator", "local", "global"]

_HANG_SHARE = 0.9
"""Of the deadline: a run that is terminated after so long had all the time that a picture can give it."""


class Seconds(NamedTuple):
    """Where the time of a translation went."""

    decode: float
    queue: float
    inference: float


class Translation(NamedTuple):
    """One translated picture."""

    id: str | None
    """None if it could not be kept: then its heat maps cannot be asked for later."""
    entry: Entry
    facts: Facts
    source_probability: float | None
    """How sure the generator's classifiers are to see the source domain; None without attention."""
    seconds: Seconds
    batch: int
    """How many pictures were in its run, itself included."""
    provider: str | None
    """Where it ran."""
    shown: tuple[int, int]
    """Height and width of what was translated, in the photo's own pixels."""


class Engine:
    """Everything between a picture's bytes and the arrays of its translation."""

    def __init__(
        self,
        settings: Settings,
        open_model: OpenModel,
        *,
        shapes: list[int],
        replicas: Sequence[OpenModel] = (),
        store: AttentionStore | None = None,
    ) -> None:
        """Find the bundles; `start` loads them.

        Args:
            settings: the limits.
            open_model: how models are opened.
            shapes: the batch sizes to run, ascending.
            replicas: how models are opened on each further device.
            store: where translations are kept; what the settings say by default.
        """
        patience = Patience(settings.load_seconds, _HANG_SHARE * settings.deadline_seconds)
        wait_seconds = settings.batch_wait_ms / 1000
        limits = Limits(settings.queue_size, shapes, wait_seconds, patience, replicas)
        self.registry = Registry(
            settings.bundles_dir, open_model, limits, preferred=settings.preferred_direction
        )
        self.store = store or open_store(settings)
        self._settings = settings
        self._picture_limits = PictureLimits(
            max_pixels=settings.max_pixels, max_side_pixels=settings.max_side_pixels
        )
        # As many as its threads decode at once. One that is told to stop in vain keeps its thread to the end.
        self._decoders = ThreadPoolExecutor(settings.decoders, "decoder")
        self._leaving = self._draining = False
        self._admitted = 0
        self._idle = asyncio.Event()
        self._idle.set()
        poll_seconds = settings.reload_poll_seconds if settings.reload == "poll" else None
        self._follower = Follower(self.registry, poll_seconds)
        self._opening: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Load all directions in the background, then follow the folder; look for the store."""
        self._opening = asyncio.create_task(self.store.open())
        self._follower.start()

    async def loaded(self) -> None:
        """Wait until every direction that was there at the start is loaded, or defunct."""
        await self._follower.loaded()

    def reload(self) -> None:
        """Load what is new or changed in the folder, in the background, and give up what is gone from it."""
        if not self._draining:
            self._follower.ask()

    @property
    def draining(self) -> bool:
        """Whether nothing more is admitted."""
        return self._draining

    @property
    def leaving(self) -> bool:
        """Whether it is about to stop; it may still admit."""
        return self._leaving or self._draining

    def why_not_ready(self) -> str | None:
        """A sentence, or None when the service can do its work."""
        if self.leaving:
            return "The service is about to stop."
        # Later it may be away for a while: pictures are translated all the same, and all replicas would leave
        # at once. At the start it is a mistake that whoever starts them should see.
        if self._opening is not None and not self._opening.done():
            return "The store of heat maps has not answered yet; check UGATIT_STORE_URL and its server."
        return self.registry.why_not_ready()

    def check(self, direction: str, client: str = "") -> Direction:
        """Look whether a client's picture would be admitted now, before its bytes are read.

        Raises:
            UnknownDirection, Draining, Loading, DirectionDefunct, QueueFull, FairShare: it would not.
        """
        chosen = self.registry[direction]
        if self._draining:
            raise Draining
        chosen.require_ready()
        chosen.admission.check(client)
        return chosen

    async def translate(
        self, direction: str, data: bytes, *, fit: Fit = "cover", client: str = ""
    ) -> Translation:
        """Translate an encoded picture.

        Args:
            direction: the name of a direction.
            data: the file's bytes: JPEG, PNG or WebP.
            fit: how the picture meets the network's size.
            client: whose it is; clients who wait for the same direction share it evenly.

        Raises:
            EngineError: what `check` raises, and DeadlineExceeded.
            models.images.errors.PictureError: the bytes are no picture that may be read.
        """
        chosen = self.check(direction, client)
        with self._admit(chosen, client) as permit, chosen.translator() as translator:
            facts = translator.facts
            assert facts is not None
            async with self._deadline():
                started = time.perf_counter()
                framed, shown = await self._decode(data, facts, fit)
                decode_seconds = time.perf_counter() - started
                answer = await translator.generate(framed.pixels, permit)
            provider = translator.provider  # here: what serves when the store has answered may be another
        entry = Entry(
            direction=direction,
            version=facts.version,
            source=framed,
            translation=answer.outputs["image"],
            generator=answer.outputs.get("attention"),
            expires_at=time.time() + self._settings.attention_ttl_seconds,
        )
        logit = answer.outputs.get("cam_logit")
        return Translation(
            await self.store.put(entry),
            entry,
            facts,
            probability_of_source(logit) if logit is not None else None,
            Seconds(decode_seconds, answer.queue_seconds, answer.run_seconds),
            answer.pictures,
            provider,
            shown,
        )

    async def attention(
        self, id_: str, network: Network = "generator", *, client: str = ""
    ) -> tuple[Entry, Map]:
        """An earlier translation and the heat map `[h, w]` of one network.

        The discriminators' maps are computed when first asked for, as an admitted picture like any other.

        Raises:
            EngineError: AttentionGone, NoSuchNetwork, and what `translate` raises.
        """
        entry = await self.store.get(id_)
        if network == "generator":
            if entry.generator is None:
                raise NoSuchNetwork(entry.direction, network)
            return entry, entry.generator
        try:
            facts = self.registry[entry.direction].require_ready()
        except UnknownDirection:
            raise AttentionGone from None
        if facts.version != entry.version:
            raise AttentionGone
        if not facts.manifest.discriminators:
            raise NoSuchNetwork(entry.direction, network)
        async with self._deadline():  # around the wait for another who asked first, too
            maps = await self.store.others(id_, entry, lambda: self._discriminate(entry, client))
        return entry, maps[network]

    def linger(self) -> None:
        """Go on admitting, but be ready no more: whoever routes requests here should stop."""
        self._leaving = True

    def drain(self) -> None:
        """Admit nothing more."""
        self._draining = True

    async def drained(self) -> None:
        """Wait until everything that was admitted is done."""
        await self._idle.wait()

    def close(self) -> None:
        """Stop at once; whoever still waits is cancelled."""
        self.drain()
        self._follower.close()
        if self._opening is not None:
            self._opening.cancel()
        self.registry.close()
        self._decoders.shutdown(wait=False, cancel_futures=True)

    async def _decode(self, data: bytes, facts: Facts, fit: Fit) -> tuple[Frame, tuple[int, int]]:
        held = [data]
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._decoders, lambda: self._read(held[0], facts, fit)
            )
        finally:
            held.clear()  # one that leaves before its turn stays in the executor's queue until then

    def _read(self, data: bytes, facts: Facts, fit: Fit) -> tuple[Frame, tuple[int, int]]:
        """Return the framed picture, and the size of what it shows in the photo's own pixels."""
        size = facts.manifest.image
        photo = decode_photo(data, limits=self._picture_limits, enough_side=max(size.height, size.width))
        framed = frame(photo.pixels, height=size.height, width=size.width, fit=fit)
        shown = shown_size((photo.height, photo.width), height=size.height, width=size.width, fit=fit)
        return framed, shown

    async def _discriminate(self, entry: Entry, client: str) -> dict[str, Map]:
        chosen = self.check(entry.direction, client)
        with self._admit(chosen, client) as permit, chosen.translator() as translator:
            if translator.facts is None or translator.facts.version != entry.version:
                raise AttentionGone
            return dict(await translator.discriminate(entry.translation, permit))

    @contextmanager
    def _admit(self, chosen: Direction, client: str) -> Iterator[Permit]:
        with chosen.admission.permit(client) as permit:
            self._admitted += 1
            self._idle.clear()
            try:
                yield permit
            finally:
                self._admitted -= 1
                if not self._admitted:
                    self._idle.set()

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        seconds = self._settings.deadline_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise DeadlineExceeded(seconds) from None


def open_engine(settings: Settings, runtime: Runtime) -> Engine:
    """The engine of a real service: models in onnxruntime, batches as its provider likes them."""
    max_batch = settings.max_batch or default_max_batch(runtime)
    few = runtime.on_gpu or runtime.fixes_shapes
    first, *others = [each.open for each in replicas(runtime, settings)]
    return Engine(settings, first, shapes=batch_shapes(max_batch, few=few), replicas=others)
