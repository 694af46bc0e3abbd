"""The engine's interface: translate a picture, return its heat maps, report the status, stop gracefully."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager

from app.engine.directions.bundle_watcher import BundleWatcher
from app.engine.directions.direction import Direction
from app.engine.directions.direction_status import BundleInfo
from app.engine.directions.registry import Registry
from app.engine.directions.translator import SchedulingLimits
from app.engine.errors import (
    AttentionGone,
    DeadlineExceeded,
    Draining,
    NoSuchNetwork,
    NoSuchPart,
    UnknownDirection,
)
from app.engine.events import EngineEvents
from app.engine.runtime.runtime import Runtime, batch_sizes, default_max_batch, device_runtimes
from app.engine.runtime.session import OpenModel, Outputs
from app.engine.scheduling.admission import Permit
from app.engine.scheduling.runner import TimeLimits
from app.engine.status import EngineStatus, StoreStatus
from app.engine.store.entry import Entry, Maps
from app.engine.store.stores import TranslationStore, open_store
from app.engine.translation import FoundMap, StageSeconds, TranslationResult, source_probability
from app.settings.settings import Settings
from models.bundle.declarations import Network, Part
from models.bundle.manifest import Manifest
from models.images.decode import PictureLimits, decode_photo
from models.images.frame import Fit, Frame, frame, shown_size

_RUN_SHARE = 0.9
"""The time limit of a run as a share of the deadline: no picture can give its run more time than that."""


class Engine:
    """Translates encoded pictures to arrays."""

    def __init__(
        self,
        settings: Settings,
        open_models: Sequence[OpenModel],
        *,
        batch_sizes: list[int],
        store: TranslationStore | None = None,
    ) -> None:
        """Find the bundles; `start` loads them.

        Args:
            settings: the limits.
            open_models: opens a model, for each device.
            batch_sizes: the sizes of a run, ascending.
            store: keeps the translations; the one that the settings choose by default.
        """
        limits = SchedulingLimits(
            permits=settings.queue_size,
            batch_sizes=batch_sizes,
            batch_wait_seconds=settings.batch_wait_ms / 1000,
            time_limits=TimeLimits(settings.load_seconds, _RUN_SHARE * settings.deadline_seconds),
        )
        self.events = EngineEvents()
        self.registry = Registry(
            settings.bundles_dir, open_models, limits, self.events, preferred=settings.preferred_direction
        )
        self.store = store or open_store(settings)
        self._settings = settings
        self._picture_limits = PictureLimits(
            max_pixels=settings.max_pixels, max_side_pixels=settings.max_side_pixels
        )
        # Decoding cannot be interrupted, so a cancelled picture occupies its thread until it is decoded.
        self._decoders = ThreadPoolExecutor(settings.decoders, "decoder")
        self._lingering = self._draining = False
        self._admitted = 0
        self._idle = asyncio.Event()
        self._idle.set()
        poll_seconds = settings.reload_poll_seconds if settings.reload == "poll" else None
        self._watcher = BundleWatcher(self.registry, poll_seconds)
        self._store_opening: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Load all directions in the background, then watch the bundles directory; open the store."""
        self._store_opening = asyncio.create_task(self.store.open())
        self._watcher.start()

    async def wait_until_loaded(self) -> None:
        """Wait until every direction that existed at the start is loaded, or defunct."""
        await self._watcher.wait_until_loaded()

    def reload(self) -> None:
        """Load new and changed bundles in the background, and retire removed ones."""
        if not self._draining:
            self._watcher.request_reload()

    @property
    def draining(self) -> bool:
        """Whether no more requests are admitted."""
        return self._draining

    @property
    def stopping(self) -> bool:
        """Whether it lingers or drains; while it lingers, it still admits requests."""
        return self._lingering or self._draining

    def status(self) -> EngineStatus:
        """Return the state of all directions and of the store at this moment."""
        directions = [direction.status() for direction in self.registry]
        store = StoreStatus(self.store.available, self.store.usage, self.store.lost)
        return EngineStatus(directions, store)

    def not_ready_reason(self) -> str | None:
        """Return why the service is not ready, as a sentence; None if it is."""
        if self.stopping:
            return "The service is shutting down."
        # Only the first answer of the store is required. If the store fails later, pictures are still
        # translated, and unready replicas would all leave the load balancer at once. A store that never
        # answers is a mistake in the settings.
        if self._store_opening is not None and not self._store_opening.done():
            return "The store of heat maps has not answered yet; check UGATIT_STORE_URL and its server."
        return self.registry.not_ready_reason()

    def check(self, direction: str, client: str = "") -> None:
        """Check that a picture of the client would be admitted now, before its bytes are read.

        Raises:
            UnknownDirection, Draining, Loading, DirectionDefunct, QueueFull, FairShare: it would not.
        """
        self._checked(direction, client)

    async def translate(
        self, direction: str, data: bytes, *, fit: Fit = "cover", client: str = ""
    ) -> TranslationResult:
        """Translate an encoded picture and keep the translation for its heat maps.

        Args:
            direction: the name of a direction.
            data: the bytes of a JPEG, PNG or WebP file.
            fit: how the picture is fitted to the network's size.
            client: who sent it; the waiting clients of a direction share it evenly.

        Raises:
            EngineError: what `check` raises, and DeadlineExceeded.
            models.images.errors.PictureError: the bytes are not a picture, or exceed the limits.
        """
        chosen = self._checked(direction, client)
        with self._admit(chosen, client) as permit, chosen.translator() as translator:
            bundle = translator.bundle
            assert bundle is not None
            async with self._deadline():
                started = time.perf_counter()
                framed, shown = await self._decode(data, bundle, fit)
                decode_seconds = time.perf_counter() - started
                inference = await translator.generate(framed.pixels, permit)
            execution = (
                translator.execution
            )  # read before the store answers: the model may be replaced by then
        outputs = inference.outputs
        entry = Entry(
            direction=direction,
            version=bundle.version,
            source=framed,
            translation=outputs["image"],
            declared=bundle.manifest.maps,
            maps={each.name: outputs[each.name] for each in bundle.manifest.maps_of("generator")},
            expires_at=time.time() + self._settings.attention_ttl_seconds,
        )
        return TranslationResult(
            id=await self.store.put(entry),
            entry=entry,
            source_probability=_source_probability(bundle.manifest, outputs),
            seconds=StageSeconds(decode_seconds, inference.queue_seconds, inference.run_seconds),
            batch=inference.batch,
            provider=execution.provider if execution is not None else None,
            shown_size=shown,
        )

    async def attention(
        self, id_: str, network: Network = "generator", part: Part = "both", *, client: str = ""
    ) -> FoundMap:
        """Return the raw heat map of one network for an earlier translation.

        The discriminators' maps are computed at the first request, which needs a permit like a translation.

        Raises:
            EngineError: AttentionGone, NoSuchNetwork, NoSuchPart, and what `translate` raises.
        """
        entry = await self.store.get(id_)
        declared = entry.find(network, part)
        if declared is None and entry.find(network) is None:
            raise NoSuchNetwork(entry.direction, network)
        if declared is None:
            raise NoSuchPart(entry.direction, network, part)
        if network == "generator":
            return FoundMap(entry, declared, entry.maps[declared.name])
        try:
            bundle = self.registry[entry.direction].require_ready()
        except UnknownDirection:
            raise AttentionGone from None
        if bundle.version != entry.version:
            raise AttentionGone
        async with self._deadline():  # includes the wait for a request that computes the same maps
            maps = await self.store.discriminator_maps(id_, entry, lambda: self._discriminate(entry, client))
        return FoundMap(entry, declared, maps[declared.name])

    def linger(self) -> None:
        """Report that the service is not ready, but still admit requests until the load balancer notices."""
        self._lingering = True

    def drain(self) -> None:
        """Admit no more requests."""
        self._draining = True

    async def wait_until_drained(self) -> None:
        """Wait until every admitted request is done."""
        await self._idle.wait()

    def close(self) -> None:
        """Stop at once and cancel the waiting requests."""
        self.drain()
        self._watcher.close()
        if self._store_opening is not None:
            self._store_opening.cancel()
        self.registry.close()
        self._decoders.shutdown(wait=False, cancel_futures=True)

    def _checked(self, direction: str, client: str) -> Direction:
        chosen = self.registry[direction]
        if self._draining:
            raise Draining
        chosen.require_ready()
        chosen.admission.check(client)
        return chosen

    async def _decode(self, data: bytes, bundle: BundleInfo, fit: Fit) -> tuple[Frame, tuple[int, int]]:
        held = [data]
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._decoders, lambda: self._read(held[0], bundle, fit)
            )
        finally:
            held.clear()  # the executor keeps a cancelled call, but not its bytes, until a thread is free

    def _read(self, data: bytes, bundle: BundleInfo, fit: Fit) -> tuple[Frame, tuple[int, int]]:
        """Return the framed picture, and the size of what it shows in the photo's own pixels."""
        size = bundle.manifest.image
        photo = decode_photo(data, limits=self._picture_limits, enough_side=max(size.height, size.width))
        framed = frame(photo.pixels, height=size.height, width=size.width, fit=fit)
        shown = shown_size((photo.height, photo.width), height=size.height, width=size.width, fit=fit)
        return framed, shown

    async def _discriminate(self, entry: Entry, client: str) -> Maps:
        chosen = self._checked(entry.direction, client)
        with self._admit(chosen, client) as permit, chosen.translator() as translator:
            if translator.bundle is None or translator.bundle.version != entry.version:
                raise AttentionGone
            return await translator.discriminate(entry.translation, permit)

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


def _source_probability(manifest: Manifest, outputs: Outputs) -> float | None:
    """Return the classifiers' probability of the source domain; None for a model without classifiers."""
    return next((source_probability(outputs[each.name]) for each in manifest.logits), None)


def open_engine(settings: Settings, runtime: Runtime) -> Engine:
    """Return the engine of a real service: models in onnxruntime, and batch sizes that suit its provider."""
    max_batch = settings.max_batch or default_max_batch(runtime)
    sizes = batch_sizes(max_batch, few=runtime.on_gpu or runtime.fixes_shapes)
    return Engine(settings, [each.open for each in device_runtimes(runtime, settings)], batch_sizes=sizes)
