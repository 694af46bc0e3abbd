"""The pictures of a run with the places of their results, and which of them an earlier run has finished."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from app.many import places
from app.translate_plan import (
    Job,
    Plan,
    PlanError,
    find_jobs,
    find_pictures,
    name_results,
    refuse_clashes,
)
from models.bundle.declarations import Network, Part
from models.bundle.manifest import Manifest


class Item(NamedTuple):
    """One picture and the places of its results: paths or URLs."""

    source: str
    translation: str
    heat_maps: dict[tuple[Network, Part], str]
    changed: float
    """When the source was changed last, in seconds since 1970; 0 if unknown."""

    @property
    def results(self) -> list[str]:
        """The places of all results."""
        return [self.translation, *self.heat_maps.values()]


class Items(NamedTuple):
    """The pictures of a run, and remarks about skipped files."""

    items: list[Item]
    remarks: list[str]


class Sorted(NamedTuple):
    """The pictures of a run by whether an earlier run has written their results."""

    remaining: list[Item]
    finished: list[Item]


def find_items(plan: Plan, sources: Sequence[str], out: str) -> Items:
    """Return the pictures at all sources in a fixed order.

    Args:
        plan: names the results; its own sources and folder are not used.
        sources: paths and URLs of pictures, folders and prefixes.
        out: path or URL of the folder of the results.

    Raises:
        PlanError: there is no picture, a result would overwrite a source, or two results have one name.
    """
    if not any(map(places.is_url, (*sources, out))):
        local = plan._replace(sources=tuple(map(Path, sources)), out=Path(out))
        jobs, remarks = find_jobs(local)
        return Items([_of_job(job) for job in jobs], remarks)
    found = _find(sources, out)
    items = []
    for source, names in name_results(plan, found.below).items():
        maps = {key: places.join(out, name) for key, name in names.heat_maps.items()}
        items.append(Item(source, places.join(out, names.translation), maps, found.changed[source]))
    _refuse_overwriting(items)
    refuse_clashes({item.source: item.results for item in items})
    return Items(items, found.remarks)


def sort_items(items: Iterable[Item], out: str, manifest: Manifest, bundle: Path) -> Sorted:
    """Return which pictures remain to be translated, and which are finished.

    A picture is finished if all its results exist and are at least as new as it and the bundle.

    Args:
        items: all pictures.
        out: path or URL of the folder of the results.
        manifest: of the bundle; a map that it does not declare is not written.
        bundle: the bundle's directory.

    Raises:
        PlanError: the results cannot be listed.
    """
    declared = {(each.network, each.part) for each in manifest.maps}
    written = places.written_at(out) if places.is_url(out) else None
    bundle_changed = (bundle / "manifest.json").stat().st_mtime
    answer = Sorted([], [])
    for item in items:
        results = [item.translation, *(place for key, place in item.heat_maps.items() if key in declared)]
        times = [_local_time(place) if written is None else written.get(place, -1) for place in results]
        finished = min(times) >= max(item.changed, bundle_changed)
        (answer.finished if finished else answer.remaining).append(item)
    return answer


class _Found(NamedTuple):
    below: dict[str, Path]
    """Each picture with its path below its source."""
    changed: dict[str, float]
    remarks: list[str]


def _find(sources: Sequence[str], out: str) -> _Found:
    local_out = None if places.is_url(out) else Path(out)
    found = _Found({}, {}, [])
    for source in sources:
        if places.is_url(source):
            listing = places.find_pictures(source, without=out)
            found.below.update(listing.pictures)
            found.changed.update(listing.changed)
            found.remarks.extend([listing.remark] if listing.remark else [])
        else:
            pictures, remarks = find_pictures([Path(source)], local_out)
            found.below.update({str(picture): below for picture, below in pictures.items()})
            found.changed.update({str(picture): _local_time(str(picture)) for picture in pictures})
            found.remarks.extend(remarks)
    return found


def _of_job(job: Job) -> Item:
    maps = {key: str(path) for key, path in job.heat_maps.items()}
    return Item(str(job.source), str(job.translation), maps, _local_time(str(job.source)))


def _local_time(place: str) -> float:
    """Return when a file was changed last; -1 if it is not there."""
    try:
        return Path(place).stat().st_mtime
    except OSError:
        return -1


def _refuse_overwriting(items: Sequence[Item]) -> None:
    sources = {item.source for item in items}
    for place in (place for item in items for place in item.results):
        if place in sources:
            raise PlanError(f"{place} is one of the pictures to translate; choose another place for --out.")
