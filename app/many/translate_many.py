"""Translate the pictures of a run on Ray, and name those whose process ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

import ray.data
from ray.exceptions import RayError

from app.engine.engine import picture_limits
from app.engine.errors import UnknownDirection
from app.many.items import Item, find_items, sort_items
from app.many.pipeline import choose_translators, run_stages
from app.many.stages import Outcome, Work
from app.many.start_ray import LOGS, RayFailed, connected, last_line
from app.settings.settings import Settings
from app.translate_files import count_pictures
from app.translate_plan import Plan, Report, require_maps, require_style
from models.bundle.directory import read_bundle
from models.bundle.manifest import MANIFEST

_SLICE: Final = 8192
"""Pictures of one run of the stages. Until its end, Ray Data keeps 10 kB here for each of them."""
_QUARANTINED: Final = (
    "Its process ended twice, the second time with no other picture. Leave the picture out, or save it again "
    "with another program."
)


def translate_on_ray(
    plan: Plan, sources: Sequence[str], out: str, settings: Settings, *, translators: int | None = None
) -> Report:
    """Translate all pictures at the sources whose results are not there yet, on Ray.

    Args:
        plan: what to translate, and how; its own sources and folder are not used.
        sources: paths and URLs of pictures, folders and prefixes.
        out: path or URL of the folder of the results.
        settings: of the engine.
        translators: the most processes that translate; one for each GPU or core by default.

    Raises:
        BundleError, UnknownDirection: the direction cannot serve.
        PlanError: the request cannot be carried out.
        RayFailed: Ray could not be started or reached, or no translator works.
        OSError: a result could not be written.
    """
    bundle = settings.bundles_dir / plan.direction
    if not (bundle / MANIFEST).exists():
        known = sorted(each.parent.name for each in settings.bundles_dir.glob(f"*/{MANIFEST}"))
        raise UnknownDirection(plan.direction, known)
    manifest = read_bundle(bundle).manifest
    require_maps(manifest, plan)
    require_style(manifest, plan, picture_limits(settings))
    items, remarks = find_items(plan, sources, out)
    remaining, finished = (items, []) if plan.force else sort_items(items, out, manifest, bundle)
    # Processes on this machine start in other folders.
    settings = settings.model_copy(update={"bundles_dir": settings.bundles_dir.resolve()})
    outcomes = translate_many(Work(plan, settings, manifest), remaining, translators=translators)
    return Report(
        {item.source: item.results for item in items},
        remarks,
        [(each.source, each.failure) for each in outcomes if each.failure is not None],
        [item.source for item in finished],
        [each.source for each in outcomes if each.without_face],
    )


def translate_many(work: Work, items: Sequence[Item], *, translators: int | None = None) -> list[Outcome]:
    """Translate pictures; return the outcome of each, in the same order.

    A picture whose process ends, and those beside it, are tried once more, each alone. A picture that ends
    its process again is given up.

    Raises:
        RayFailed: Ray could not be started or reached, or no translator works.
        OSError: a result could not be written.
    """
    if not items:
        return []
    outcomes: dict[str, Outcome] = {}
    with connected() as terminal, count_pictures(terminal) as progress:
        _configure_data()
        bar = progress.add_task(work.plan.direction, total=len(items))
        for start in range(0, len(items), _SLICE):
            for outcome in _outcomes_of_slice(work, items[start : start + _SLICE], translators):
                if outcome.unwritable is not None:
                    raise OSError(outcome.unwritable)
                outcomes[outcome.source] = outcome
                progress.advance(bar)
    return [outcomes[item.source] for item in items]


def _outcomes_of_slice(work: Work, items: Sequence[Item], translators: int | None) -> Iterator[Outcome]:
    """Yield the outcome of each picture. Those whose process ended are tried once more, each alone."""
    remaining = {item.source: item for item in items}
    for alone in (False, True):
        for outcome in _outcomes(work, list(remaining.values()), translators, alone=alone):
            remaining.pop(outcome.source)
            yield outcome
    for source in remaining:
        yield Outcome(source, _QUARANTINED)


def _outcomes(
    work: Work, items: Sequence[Item], translators: int | None, *, alone: bool
) -> Iterator[Outcome]:
    if not items:
        return
    try:
        yield from run_stages(work, items, choose_translators(translators), alone=alone)
    except RayError as error:
        raise RayFailed(
            f"Ray could not translate the pictures: {last_line(error)}; see its logs in {LOGS}."
        ) from error


def _configure_data() -> None:
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    context = ray.data.DataContext.get_current()
    context.max_errored_blocks = -1  # pictures without an outcome are found and tried again
    context.enable_progress_bars = False
    context.print_on_execution_start = False
