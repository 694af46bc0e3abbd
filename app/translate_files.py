"""Translate pictures and folders of pictures into files: `ugatit translate`, the engine without HTTP."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from pydantic import SecretStr
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.engine.engine import picture_limits
from app.engine.errors import EngineError
from app.engine.local_engine import LocalEngine, open_engine
from app.engine.runtime.runtime import default_max_batch, open_runtime
from app.engine.translation import TranslationResult
from app.finished_files import is_finished
from app.settings.settings import Settings
from app.translate_plan import Job, Plan, Remarkable, require_maps, require_style
from models.bundle.declarations import HeatMap
from models.bundle.errors import BundleError
from models.bundle.manifest import Manifest
from models.images.errors import PictureError
from models.images.limits import PictureLimits

DEADLINE_SECONDS: Final = 3600.0
"""Deadline of one picture. No connection waits for it, so a slow machine may take longer than a service."""
_AHEAD: Final = 2
"""Pictures in progress beside the one in a model run: the next is decoded while the last is encoded."""


Failures = list[tuple[Path, str]]


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
    engine = open_engine(engine_settings(settings, together), runtime)
    try:
        run = _Run(engine, plan, settings.bundles_dir / plan.direction, picture_limits(settings), together)
        return asyncio.run(_translate_all(run, jobs, remarkable or Remarkable([], [])))
    finally:
        engine.close()


def engine_settings(settings: Settings, together: int) -> Settings:
    """Return the settings of an engine that serves no connections, with `together` pictures in progress."""
    overrides = {
        "queue_size": max(settings.queue_size, together),
        "deadline_seconds": DEADLINE_SECONDS,
        # The store in memory keeps a few pictures whatever their size, for their discriminators' heat maps.
        "store_url": SecretStr(""),
        "attention_ttl_seconds": 2 * DEADLINE_SECONDS,
        "attention_max_entries": 4 * together,
        "attention_max_bytes": sys.maxsize,
    }
    return settings.model_copy(update=overrides)


def count_pictures(terminal: IO[str] | None = None) -> Progress:
    """Return a progress bar of pictures on a terminal; by default on stderr."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(file=terminal or sys.stderr),
    )


class _Run(NamedTuple):
    """What translates, and how many pictures at once."""

    engine: LocalEngine
    plan: Plan
    bundle: Path
    """The bundle's directory."""
    limits: PictureLimits
    """On a picture's size."""
    together: int
    """Pictures in progress: one batch runs, one waits, a few are decoded and encoded."""


async def _translate_all(run: _Run, jobs: Sequence[Job], remarkable: Remarkable) -> Failures:
    engine, plan = run.engine, run.plan
    direction = engine.registry[plan.direction]
    await direction.load()
    if not direction.state.serves:
        raise BundleError(f"{plan.direction} cannot serve: {direction.reason}")
    manifest = direction.require_ready().manifest
    require_maps(manifest, plan)
    require_style(manifest, plan, run.limits)
    open_jobs = jobs if plan.force else _without_finished(run, jobs, manifest, remarkable)
    failures: dict[Path, str] = {}
    in_progress = asyncio.Semaphore(run.together)
    with count_pictures() as progress:
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


async def _translate_one(engine: LocalEngine, plan: Plan, job: Job) -> bool:
    """Write the results of a picture; return whether a face was searched for in vain."""
    try:
        data = job.source.read_bytes()
    except OSError as error:
        raise PictureError(f"The file cannot be read: {error.strerror}.") from None
    translation = await engine.translate(plan.direction, data, plan.request)
    job.translation.parent.mkdir(parents=True, exist_ok=True)
    drawn = await engine.draw(translation, data, plan.options_of(job.source))
    write_whole(job.translation, drawn.data)
    for (network, part), path in job.heat_maps.items():
        if (declared := translation.entry.find(network, part)) is not None:
            await _write_map(engine, plan, translation, declared, path)
    return translation.faces == []


async def _write_map(
    engine: LocalEngine, plan: Plan, translation: TranslationResult, declared: HeatMap, path: Path
) -> None:
    assert translation.id is not None, "the store keeps the pictures in progress"
    found = await engine.attention(translation.id, declared.network, declared.part)
    drawn = await asyncio.to_thread(plan.heat_maps.draw, found, plan.options)
    write_whole(path, drawn.data)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it, so that an interruption leaves no partial file."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
