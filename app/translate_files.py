"""Translate pictures and folders of pictures into files: `ugatit translate`, the engine without HTTP."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.engine.drawing import draw_attention
from app.engine.errors import EngineError
from app.engine.face_choice import FaceChoice
from app.engine.local_engine import LocalEngine, open_engine
from app.engine.planning import FrameChoice, PhotoRequest
from app.engine.render_options import RenderOptions
from app.engine.runtime.runtime import default_max_batch, open_runtime
from app.engine.translation import TranslationResult
from app.finished_files import is_finished
from app.settings.settings import Settings
from app.translated_maps import HeatMaps
from models.bundle.declarations import HeatMap, Network, Part
from models.bundle.errors import BundleError
from models.bundle.manifest import Manifest
from models.files.walk import summary, walk
from models.images.encode import extension
from models.images.encode_animation import ANIMATED_TYPES
from models.images.errors import PictureError
from models.images.frame import Fit

_DEADLINE_SECONDS: Final = 3600.0
"""Deadline of one picture. No connection waits for it, so a slow machine may take longer than a service."""
_AHEAD: Final = 2
"""Pictures in progress beside the one in a model run: the next is decoded while the last is encoded."""


Failures = list[tuple[Path, str]]


class PlanError(ValueError):
    """The request cannot be carried out. The message is a sentence with the remedy."""


class Plan(NamedTuple):
    """Which pictures to translate, how, and into which folder."""

    sources: tuple[Path, ...]
    """Picture files and folders of pictures."""
    out: Path
    direction: str
    fit: Fit
    options: RenderOptions
    heat_maps: HeatMaps = HeatMaps()
    face: FaceChoice | None = None
    """Which faces are translated; None for the bundle's default."""
    paste: bool = False
    """Whether translations are put back into the whole pictures."""
    frames: FrameChoice = "all"
    """Which frames of animated files are translated; a JPEG has only the first."""
    keeps_gif: bool = False
    """Whether the translation of a GIF is a GIF, whatever the format of the others."""
    force: bool = False
    """Whether pictures are translated again whose results an earlier run has written."""

    @property
    def request(self) -> PhotoRequest:
        """What of each picture is translated."""
        moving = self.options.media_type in ANIMATED_TYPES
        return PhotoRequest(self.fit, self.face, self.paste, self.frames if moving else "first")

    def options_of(self, source: Path) -> RenderOptions:
        """Return how the translation of a picture is rendered."""
        if self.keeps_gif and source.suffix.lower() == ".gif":
            return self.options._replace(media_type="image/gif")
        return self.options


class Job(NamedTuple):
    """One picture and its result files."""

    source: Path
    translation: Path
    heat_maps: dict[tuple[Network, Part], Path]

    @property
    def results(self) -> list[Path]:
        """All result files."""
        return [self.translation, *self.heat_maps.values()]


class Jobs(NamedTuple):
    """The pictures of a plan, and remarks about skipped files."""

    jobs: list[Job]
    remarks: list[str]
    """A sentence for each source folder with files that were left out."""


class Remarkable(NamedTuple):
    """Pictures about which the user is told something."""

    without_face: list[Path]
    """A face was searched for in vain."""
    finished: list[Path]
    """An earlier run has written their results, so they were not translated."""


def translate_files(
    plan: Plan, jobs: Sequence[Job], settings: Settings, remarkable: Remarkable | None = None
) -> Failures:
    """Translate the pictures of a plan; return the failed pictures with the reasons.

    Args:
        plan: what to translate, and how.
        jobs: the pictures of the plan.
        settings: of the engine.
        remarkable: receives pictures about which the user should know something.

    Raises:
        BundleError, EngineError: the direction cannot serve.
        PlanError: the bundle lacks a wanted heat map.
        OSError: a file cannot be written.
    """
    runtime = open_runtime(settings)
    together = _AHEAD + 2 * (settings.max_batch or default_max_batch(runtime)) - 1
    overrides = {
        "queue_size": max(settings.queue_size, together),
        "deadline_seconds": _DEADLINE_SECONDS,
        # The store in memory keeps a few pictures whatever their size, for their discriminators' heat maps.
        "store_url": SecretStr(""),
        "attention_ttl_seconds": 2 * _DEADLINE_SECONDS,
        "attention_max_entries": 4 * together,
        "attention_max_bytes": sys.maxsize,
    }
    engine = open_engine(settings.model_copy(update=overrides), runtime)
    try:
        run = _Run(engine, plan, settings.bundles_dir / plan.direction, together)
        return asyncio.run(_translate_all(run, jobs, remarkable or Remarkable([], [])))
    finally:
        engine.close()


def find_jobs(plan: Plan) -> Jobs:
    """Return the pictures of a plan in a fixed order, each with its result files.

    Raises:
        PlanError: there is no picture, a result would overwrite a source, or two results have one name.
    """
    found, remarks = _find_pictures(plan)
    names = Counter(below.with_suffix("") for below in found.values())
    suffix = extension(plan.options.media_type)
    jobs = []
    for source, below in found.items():
        # The results of a.jpg and a.png in one folder are a.jpg.png and a.png.png.
        name = below.stem if names[below.with_suffix("")] == 1 else below.name
        target = plan.out / below.parent
        maps = {key: target / f"{name}.{word}{suffix}" for key, word in plan.heat_maps.names().items()}
        translation = target / f"{name}{extension(plan.options_of(source).media_type)}"
        jobs.append(Job(source, translation, maps))
    _refuse_overwriting(jobs)
    _refuse_clashes(jobs)
    return Jobs(jobs, remarks)


def _find_pictures(plan: Plan) -> tuple[dict[Path, Path], list[str]]:
    """Return each picture with its path below its source, and the remarks about files left out."""
    found: dict[Path, Path] = {}
    remarks = []
    for source in plan.sources:
        if not source.is_dir():
            found[source] = Path(source.name)
            continue
        walked = walk(source)
        remark = f"In {source}: {summary(walked.left_out, source)}" if walked.left_out else ""
        pictures = _without_results(walked.pictures, source, plan.out)
        if not pictures:
            raise PlanError(
                f"{source} holds no pictures; give a folder with .jpg, .png, .webp or .gif files. "
                f"{remark}".strip()
            )
        found |= {picture: picture.relative_to(source) for picture in pictures}
        remarks += [remark] if remark else []
    return found, remarks


def _without_results(pictures: Sequence[Path], source: Path, out: Path) -> list[Path]:
    """Return the pictures without the results that an earlier run wrote into `out` below the source."""
    results = out.resolve()
    if results == source.resolve():
        return list(pictures)
    return [picture for picture in pictures if results not in picture.resolve().parents]


def _refuse_overwriting(jobs: Sequence[Job]) -> None:
    sources = {job.source.resolve() for job in jobs}
    for job in jobs:
        for target in job.results:
            if target.resolve() in sources:
                raise PlanError(
                    f"{target} is one of the pictures to translate; choose another folder for --out."
                )


def _refuse_clashes(jobs: Sequence[Job]) -> None:
    """Refuse pictures whose results have one name, for example a.png and a.overlay.png of an earlier run."""
    sources: dict[Path, Path] = {}
    for job in jobs:
        for target in job.results:
            other = sources.setdefault(target, job.source)
            if other != job.source:
                raise PlanError(
                    f"The results of {other} and {job.source} would both be {target}; rename one of them."
                )


class _Run(NamedTuple):
    """What translates, and how many pictures at once."""

    engine: LocalEngine
    plan: Plan
    bundle: Path
    """The bundle's directory."""
    together: int
    """Pictures in progress: one batch runs, one waits, a few are decoded and encoded."""


async def _translate_all(run: _Run, jobs: Sequence[Job], remarkable: Remarkable) -> Failures:
    engine, plan = run.engine, run.plan
    direction = engine.registry[plan.direction]
    await direction.load()
    if not direction.state.serves:
        raise BundleError(f"{plan.direction} cannot serve: {direction.reason}")
    manifest = direction.require_ready().manifest
    _require_maps(manifest, plan)
    open_jobs = jobs if plan.force else _without_finished(run, jobs, manifest, remarkable)
    failures: dict[Path, str] = {}
    in_progress = asyncio.Semaphore(run.together)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    ) as progress:
        bar = progress.add_task(plan.direction, total=len(open_jobs))

        async def translate(job: Job) -> None:
            async with in_progress:
                try:
                    if await _translate_one(engine, plan, job):
                        remarkable.without_face.append(job.source)
                except (PictureError, EngineError) as error:
                    failures[job.source] = str(error)
                progress.advance(bar)

        try:
            async with asyncio.TaskGroup() as group:
                for job in open_jobs:
                    group.create_task(translate(job))
        except (
            ExceptionGroup
        ) as several:  # one cause, for example a full disk, fails all tasks: report it once
            raise several.exceptions[0] from None
    return [(job.source, failures[job.source]) for job in jobs if job.source in failures]


def _without_finished(
    run: _Run, jobs: Sequence[Job], manifest: Manifest, remarkable: Remarkable
) -> list[Job]:
    """Return the jobs whose results are not there yet; a model without a heat map writes none."""
    declared = {(each.network, each.part) for each in manifest.maps}
    remaining = []
    for job in jobs:
        maps = [path for key, path in job.heat_maps.items() if key in declared]
        finished = is_finished(job.source, [job.translation, *maps], run.bundle)
        if finished:
            remarkable.finished.append(job.source)
        else:
            remaining.append(job)
    return remaining


def _require_maps(manifest: Manifest, plan: Plan) -> None:
    """Refuse heat maps that the bundle lacks; only the default, the generator's, may be missing.

    Raises:
        PlanError: the bundle has no such map.
    """
    declared = {(each.network, each.part): f"{each.part} of {each.network}" for each in manifest.maps}
    for network, part in plan.heat_maps.names().keys() - declared.keys() - HeatMaps().names().keys():
        raise PlanError(
            f"The bundle of {plan.direction} has no heat map {part} of {network}; "
            f"it has {', '.join(declared.values()) or 'none'}."
        )


async def _translate_one(engine: LocalEngine, plan: Plan, job: Job) -> bool:
    """Write the results of a picture; return whether a face was searched for in vain."""
    try:
        data = job.source.read_bytes()
    except OSError as error:
        raise PictureError(f"The file cannot be read: {error.strerror}.") from None
    translation = await engine.translate(plan.direction, data, plan.request)
    job.translation.parent.mkdir(parents=True, exist_ok=True)
    drawn = await engine.draw(translation, data, plan.options_of(job.source))
    _write_whole(job.translation, drawn.data)
    for (network, part), path in job.heat_maps.items():
        if (declared := translation.entry.find(network, part)) is not None:
            await _write_map(engine, plan, translation, declared, path)
    return translation.faces == []


async def _write_map(
    engine: LocalEngine, plan: Plan, translation: TranslationResult, declared: HeatMap, path: Path
) -> None:
    assert translation.id is not None, "the store keeps the pictures in progress"
    found = await engine.attention(translation.id, declared.network, declared.part)
    heat_maps = plan.heat_maps
    drawn = await asyncio.to_thread(
        draw_attention,
        found,
        plan.options,
        view=heat_maps.view,
        base="source" if declared.network == "generator" else "translation",
        size=heat_maps.size,
        legend=heat_maps.legend,
    )
    _write_whole(path, drawn.data)


def _write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it, so that an interruption leaves no partial file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
