"""Translate a picture, return its heat maps, report the status, stop gracefully, wherever the models run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from functools import partial

from app.engine.directions.direction_status import BundleInfo
from app.engine.drawing import draw_translation
from app.engine.errors import (
    AttentionGone,
    DeadlineExceeded,
    Draining,
    NoSuchFrame,
    NoSuchNetwork,
    NoSuchPart,
    UnknownDirection,
)
from app.engine.events import EngineEvents, RunFinished
from app.engine.planning import WHOLE_OR_FACE, PhotoRequest, Plan, Planner
from app.engine.reconstruction import joined_versions, version_as_run
from app.engine.render_options import EncodedPicture, RenderOptions
from app.engine.request_permits import RequestPermits
from app.engine.results import make_entries, maps_by_crop, maps_of_crops, probability_of_source
from app.engine.scheduling.batcher import ModelInput
from app.engine.scheduling.fair_threads import FairThreads
from app.engine.serving import Directions, ServingDirection, Watcher
from app.engine.status import EngineStatus, StoreStatus
from app.engine.store.entry import Entry, Maps
from app.engine.store.stores import TranslationStore, open_store
from app.engine.style_choice import chosen_style
from app.engine.styles import style_codes, styles_of
from app.engine.translation import FoundMap, StageSeconds, StyledEntry, TranslationResult
from app.engine.way_back import opposite_direction, reconstruct
from app.settings.settings import Settings
from models.bundle.declarations import Network, Part
from models.images.limits import PictureLimits


class PictureEngine:
    """Plans, admits, keeps and draws pictures; its directions run the models. Implements `Engine`."""

    def __init__(
        self,
        settings: Settings,
        directions: Directions,
        watcher: Watcher,
        events: EngineEvents,
        store: TranslationStore | None = None,
    ) -> None:
        """Prepare; `start` loads the directions.

        Args:
            settings: the limits.
            directions: run the models.
            watcher: loads the directions.
            events: what the directions report.
            store: keeps the translations; the one that the settings choose by default.
        """
        self.store = store or open_store(settings)
        self._settings = settings
        self._directions = directions
        self._watcher = watcher
        self._events = events
        self._planner = Planner(
            picture_limits(settings),
            most_faces=settings.max_faces,
            native_pixels=settings.native_pixels,
        )
        self._decoders = FairThreads(settings.decoders, "decoder")
        self._permits = RequestPermits(directions)
        self._lingering = False
        self._store_opening: asyncio.Task[None] | None = None

    def subscribe(self, subscriber: Callable[[RunFinished], None]) -> None:
        """Call `subscriber` with every later event, in the engine's event loop; it must return at once."""
        self._events.subscribe(subscriber)

    def start(self) -> None:
        """Load all directions in the background, then watch the bundles directory; open the store."""
        self._store_opening = asyncio.create_task(self.store.open())
        self._watcher.start()

    async def wait_until_loaded(self) -> None:
        """Wait until every direction that existed at the start is loaded, or defunct."""
        await self._watcher.wait_until_loaded()

    def reload(self) -> None:
        """Load new and changed bundles in the background, and retire removed ones."""
        if not self.draining:
            self._watcher.request_reload()

    @property
    def draining(self) -> bool:
        """Whether no more requests are admitted."""
        return self._permits.draining

    @property
    def stopping(self) -> bool:
        """Whether it lingers or drains; while it lingers, it still admits requests."""
        return self._lingering or self.draining

    def status(self) -> EngineStatus:
        """Return the state of all directions and of the store at this moment."""
        directions = [direction.status() for direction in self._directions]
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
        return self._directions.not_ready_reason()

    def check(self, direction: str, client: str = "") -> None:
        """See `Engine.check`."""
        self._permits.check(direction, client)

    def model_as_run(self, direction: str, *, cycle: bool = False) -> str:
        """See `Engine.model_as_run`."""
        if self.draining:
            raise Draining
        chosen = self._directions[direction]
        bundle = chosen.require_ready()
        opposite = opposite_direction(self._directions, bundle) if cycle else None
        return joined_versions(_as_run(chosen), _as_run(opposite) if opposite is not None else None)

    async def translate(
        self,
        direction: str,
        data: bytes,
        request: PhotoRequest = WHOLE_OR_FACE,
        *,
        client: str = "",
        keep: bool = True,
    ) -> TranslationResult:
        """See `Engine.translate`. All permits are taken before the photo is decoded."""
        chosen = self._permits.check(direction, client)
        with ExitStack() as stack:
            permit, translator = stack.enter_context(self._permits.hold(chosen, client))
            bundle = translator.bundle
            assert bundle is not None
            back = None
            if request.cycle:
                opposite = opposite_direction(self._directions, bundle)
                back = stack.enter_context(self._permits.hold(opposite, client))
            async with self._deadline():
                started = time.perf_counter()
                style = chosen_style(request.style, direction, bundle.manifest)
                plan = await self._plan(data, bundle, request, client)
                decoded = time.perf_counter()
                chosen.admission.grow(permit, len(plan.frames) * (1 if style is None else style.styles))
                codes = await style_codes(style, plan.reference, translator, permit)
                inputs = [ModelInput(each.pixels, code) for code in codes for each in plan.frames]
                inferences = await translator.generate(inputs, permit)
                queued, back_to_source = inferences[0].queue_seconds, None
                if back is not None:
                    back_to_source, waited = await reconstruct(
                        plan.frames[0], inferences[0], bundle.manifest.image, *back
                    )
                    queued += waited
                running = time.perf_counter() - decoded - queued
            # Read before the store answers: the model may be replaced by then.
            execution = translator.execution
        first = inferences[0]
        expires_at = time.time() + self._settings.attention_ttl_seconds
        entries = make_entries(direction, bundle, plan, inferences, expires_at=expires_at)
        styles = [] if style is None else styles_of(style)
        return TranslationResult(
            id=await self.store.put(entries[0]) if keep else None,
            entry=entries[0],
            source_probability=probability_of_source(bundle.manifest, first.outputs),
            seconds=StageSeconds(decoded - started, queued, running),
            batch=first.batch,
            execution=execution,
            shown_size=plan.shown_size,
            fit=request.fit,
            framed_by="face" if plan.placements[0].fit is None else "fit",
            faces=plan.faces,
            quality=plan.quality,
            timing=plan.timing,
            style=styles[0] if styles else None,
            further_styles=list(map(StyledEntry, styles[1:], entries[1:])),
            reconstruction=back_to_source,
        )

    async def attention(
        self,
        id_: str,
        network: Network = "generator",
        part: Part = "both",
        frame: int = 0,
        *,
        client: str = "",
    ) -> FoundMap:
        """See `Engine.attention`.

        The discriminators' maps are computed at the first request, which needs a permit like a translation;
        those of later frames are not kept.
        """
        animation = await self.store.get(id_)
        if frame >= animation.frames:
            raise NoSuchFrame(frame, animation.frames)
        entry = animation.of_frame(frame)
        declared = entry.find(network, part)
        if declared is None and entry.find(network) is None:
            raise NoSuchNetwork(entry.direction, network)
        if declared is None:
            raise NoSuchPart(entry.direction, network, part)
        if network == "generator":
            return FoundMap(entry, declared, [crop.maps[declared.name] for crop in entry.crops])
        try:
            bundle = self._directions[entry.direction].require_ready()
        except UnknownDirection:
            raise AttentionGone from None
        if bundle.version != entry.version:
            raise AttentionGone
        async with self._deadline():  # includes the wait for a request that computes the same maps
            if frame:
                maps = await self._discriminate(entry, client)
            else:
                maps = await self.store.discriminator_maps(
                    id_, entry, lambda: self._discriminate(entry, client)
                )
        return FoundMap(entry, declared, maps_of_crops(maps, declared.name, len(entry.crops)))

    async def holds(self, id_: str) -> bool:
        """Return whether the translation of an id is still kept."""
        return await self.store.holds(id_)

    async def draw(
        self,
        translation: TranslationResult,
        photo: bytes,
        options: RenderOptions,
        size: int | None = None,
        *,
        client: str = "",
    ) -> EncodedPicture:
        """Return the translated picture, encoded; see `draw_translation`.

        A whole photo is decoded for it, so no more are drawn and decoded at once than there are decoders.
        """
        call = partial(draw_translation, translation, photo, self._planner.limits, options, size)
        if translation.entry.scene is None and translation.timing is None:
            return await asyncio.to_thread(call)
        return await self._decoders.run(client, call)

    def linger(self) -> None:
        """Report that the service is not ready, but still admit requests until the load balancer notices."""
        self._lingering = True

    def drain(self) -> None:
        """Admit no more requests."""
        self._permits.drain()

    async def wait_until_drained(self) -> None:
        """Wait until every admitted request is done."""
        await self._permits.wait_until_drained()

    def close(self) -> None:
        """Stop at once and cancel the waiting requests."""
        self.drain()
        self._watcher.close()
        if self._store_opening is not None:
            self._store_opening.cancel()
        self._directions.close()
        self._decoders.close()

    async def wait_closed(self) -> None:
        """Close the connections to the store, after `close`."""
        await self.store.close()

    async def _plan(self, data: bytes, bundle: BundleInfo, request: PhotoRequest, client: str) -> Plan:
        held = [data]
        try:
            return await self._decoders.run(client, lambda: self._read(held[0], bundle, request))
        finally:
            held.clear()  # a cancelled call that has begun keeps its thread, but not its bytes

    def _read(self, data: bytes, bundle: BundleInfo, request: PhotoRequest) -> Plan:
        return self._planner.plan(data, bundle.manifest, request)

    async def _discriminate(self, entry: Entry, client: str) -> Maps:
        chosen = self._permits.check(entry.direction, client)
        with self._permits.hold(chosen, client) as (permit, translator):
            if translator.bundle is None or translator.bundle.version != entry.version:
                raise AttentionGone
            chosen.admission.grow(permit, len(entry.crops))
            frames = [crop.translation for crop in entry.crops]
            return maps_by_crop(await translator.discriminate(frames, permit))

    @asynccontextmanager
    async def _deadline(self) -> AsyncIterator[None]:
        seconds = self._settings.deadline_seconds
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise DeadlineExceeded(seconds) from None


def _as_run(direction: ServingDirection) -> str:
    return version_as_run(direction.require_ready().version, direction.execution)


def picture_limits(settings: Settings) -> PictureLimits:
    """Return the limits on a picture's size and frames."""
    return PictureLimits(
        max_pixels=settings.max_pixels,
        max_side_pixels=settings.max_side_pixels,
        max_frames=settings.max_frames,
        max_animation_pixels=settings.max_animation_pixels,
    )
