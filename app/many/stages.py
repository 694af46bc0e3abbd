"""The stages of a picture: decode, translate, encode. This file uses no Ray."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from app.engine import planning
from app.engine.drawing import draw_translation
from app.engine.engine import picture_limits
from app.engine.errors import EngineError
from app.engine.local_engine import open_engine
from app.engine.planning import Planner
from app.engine.results import make_entries, maps_by_crop, maps_of_crops
from app.engine.runtime.runtime import open_runtime
from app.engine.scheduling.batcher import ModelInput
from app.engine.store.entry import AttentionMap, Entry, Maps
from app.engine.style_choice import chosen_style
from app.engine.styles import style_codes
from app.engine.translation import FoundMap, StageSeconds, TranslationResult
from app.many import places
from app.many.items import Item
from app.settings.settings import Settings
from app.translate_files import engine_settings
from app.translate_plan import Plan
from models.bundle.declarations import HeatMap
from models.bundle.errors import BundleError
from models.bundle.manifest import Manifest
from models.images.errors import PictureError

NEVER: Final = float("inf")
"""When an entry expires that no store keeps."""


class Work(NamedTuple):
    """What all pictures of a run have in common."""

    plan: Plan
    settings: Settings
    manifest: Manifest


class Decoded(NamedTuple):
    """A picture whose frames are cut out."""

    item: Item
    plan: planning.Plan


class Translated(NamedTuple):
    """A picture whose frames are translated."""

    item: Item
    result: TranslationResult
    discriminator_maps: Maps
    """By the names that `maps_of_crops` looks up; empty if none is wanted."""


class Outcome(NamedTuple):
    """The end of a picture."""

    source: str
    failure: str | None = None
    """Why there is no translation; None if its results are written."""
    without_face: bool = False
    """Whether a face was searched for in vain."""
    unwritable: str | None = None
    """Why no result can be written, which ends the run: a full disk, for example."""


def decode(work: Work, item: Item) -> Decoded | Outcome:
    """Read a picture, find its faces, and cut out the frames that the network gets."""
    try:
        data = _read(item)
        planner = _planner(work.settings)
        return Decoded(item, planner.plan(data, work.manifest, work.plan.request))
    except (PictureError, EngineError) as error:
        return Outcome(item.source, str(error))


class TranslateStage:
    """An open model that translates decoded pictures. Opening it takes seconds."""

    def __init__(self, work: Work, *, together: int) -> None:
        """Verify the bundle and open its model.

        Args:
            work: names the direction.
            together: the most pictures of one call.

        Raises:
            BundleError: the direction cannot serve.
        """
        settings = work.settings
        if not settings.intra_op_threads:  # There are as many translators as cores.
            settings = settings.model_copy(update={"intra_op_threads": 1})
        self._engine = open_engine(engine_settings(settings, together), open_runtime(settings))
        self._direction = self._engine.registry[work.plan.direction]
        self._style = chosen_style(work.plan.style, work.plan.direction, work.manifest)
        networks = {network for network, _ in work.plan.heat_maps.names()}
        self._discriminates = bool(networks & {"local", "global"})
        self._loop = asyncio.Runner()
        self._loop.run(self._direction.load())
        if not self._direction.state.serves:
            raise BundleError(f"{work.plan.direction} cannot serve: {self._direction.reason}")

    def translate(self, pictures: Sequence[Decoded]) -> list[Translated | Outcome]:
        """Translate pictures, several in one run of the model where that is faster."""
        return self._loop.run(self._translate_all(pictures))

    async def _translate_all(self, pictures: Sequence[Decoded]) -> list[Translated | Outcome]:
        return list(await asyncio.gather(*map(self._translate, pictures)))

    async def _translate(self, picture: Decoded) -> Translated | Outcome:
        item, plan = picture
        direction = self._direction
        try:
            with direction.admission.permit() as permit, direction.translator() as translator:
                direction.admission.grow(permit, len(plan.frames))
                (code,) = await style_codes(self._style, plan.reference, translator, permit)
                inputs = [ModelInput(each.pixels, code) for each in plan.frames]
                inferences = await translator.generate(inputs, permit)
                bundle = direction.require_ready()
                (entry,) = make_entries(direction.name, bundle, plan, inferences, expires_at=NEVER)
                maps: Maps = {}
                if self._discriminates:
                    frames = [crop.translation for crop in entry.of_frame(0).crops]
                    maps = maps_by_crop(await translator.discriminate(frames, permit))
        except EngineError as error:
            return Outcome(item.source, str(error))
        return Translated(item, _result(plan, entry), maps)


def encode(work: Work, picture: Translated) -> Outcome:
    """Draw and write the results of a picture."""
    item, result, maps = picture
    options = work.plan.options_of(Path(item.source))
    try:
        photo = _read(item) if result.entry.scene is not None else b""
        drawn = draw_translation(result, photo, picture_limits(work.settings), options)
    except PictureError as error:
        return Outcome(item.source, str(error))
    try:
        places.write(item.translation, drawn.data)
        entry = result.entry.of_frame(0)
        for (network, part), place in item.heat_maps.items():
            if (declared := entry.find(network, part)) is not None:
                found = FoundMap(entry, declared, _values(entry, declared, maps))
                places.write(place, work.plan.heat_maps.draw(found, work.plan.options).data)
    except OSError as error:
        return Outcome(item.source, unwritable=f"{item.translation} cannot be written: {_reason(error)}")
    return Outcome(item.source, without_face=result.faces == [])


def _values(entry: Entry, declared: HeatMap, maps: Maps) -> Sequence[AttentionMap]:
    if declared.network == "generator":
        return [crop.maps[declared.name] for crop in entry.crops]
    return maps_of_crops(maps, declared.name, len(entry.crops))


def _result(plan: planning.Plan, entry: Entry) -> TranslationResult:
    """Return a translation with what its drawing needs."""
    return TranslationResult(
        id=None,
        entry=entry,
        source_probability=None,
        seconds=StageSeconds(0, 0, 0),
        batch=1,
        execution=None,
        shown_size=plan.shown_size,
        faces=plan.faces,
        timing=plan.timing,
    )


def _read(item: Item) -> bytes:
    try:
        return places.read(item.source)
    except OSError as error:
        raise PictureError(f"The file cannot be read: {_reason(error)}.") from None


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).rstrip(".")


@cache
def _planner(settings: Settings) -> Planner:
    """Return this process's planner, which opens the face detector once."""
    limits = picture_limits(settings)
    return Planner(limits, most_faces=settings.max_faces, native_pixels=settings.native_pixels)
