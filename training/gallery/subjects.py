"""The columns of a gallery: bundles, and checkpoints of runs that are opened one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NamedTuple

from training.checkpoint.errors import CheckpointError
from training.checkpoint.read import read_manifests
from training.data.folder import Domain, domain
from training.evaluation.domains import Domains, name_domains
from training.evaluation.errors import EvaluationError
from training.evaluation.opening import kind_of, name_paths, open_bundles, open_run
from training.evaluation.subject import Subject
from training.run_folder.folder import RunFolder

Checkpoints = Literal["newest", "best", "all"] | tuple[int, ...]
"""Which checkpoints of a run are shown; numbers are steps."""


class Column(NamedTuple):
    """A subject that can be opened."""

    name: str
    open: Callable[[], Subject]
    """Open it. Several checkpoints of a large run do not fit into the memory together."""
    sources: tuple[Domain, ...]
    """The domains that it translates from."""
    optional: bool = False
    """Whether it is left out where its checkpoint cannot be used."""
    figures: Mapping[str, str] = MappingProxyType({})
    """Figures shown above its pictures, by direction."""


def plan_columns(
    paths: Sequence[Path], data: Path, *, a2b: str | None, checkpoints: Checkpoints, device: str
) -> tuple[list[Column], Domains | None]:
    """Verify bundles, find the checkpoints of runs, and return a column for each, in order.

    The domains are those of the bundles, or those in the name of the data set; None if neither names them.

    Raises:
        EvaluationError: a path is neither run nor bundle, is given twice, or is a bundle of other domains.
        BundleError: a bundle does not match its manifest.
        RunError, CheckpointError: a run has no such checkpoint.
    """
    names = name_paths(paths)
    kinds = {path: kind_of(path) for path in paths}
    if checkpoints != "newest" and "run" not in kinds.values():
        raise EvaluationError(
            "--checkpoints, --step and --best choose checkpoints of a run, and only bundles are given; "
            "leave them out or give a run."
        )
    bundles, domains = open_bundles(
        {path: names[path] for path in paths if kinds[path] == "bundle"}, data, a2b
    )
    columns = []
    for path in paths:
        if path in bundles:
            columns.append(_bundle_column(bundles[path]))
        else:
            columns += _run_columns(names[path], path, checkpoints, device)
    return columns, domains or name_domains(data, a2b, [])


def _bundle_column(subject: Subject) -> Column:
    return Column(subject.name, lambda: subject, tuple(each.source for each in subject.directions))


def _run_columns(name: str, path: Path, checkpoints: Checkpoints, device: str) -> list[Column]:
    opening = partial(open_run, name, path, device=device)
    config, _, _ = RunFolder(path).read()
    sources = tuple(domain(source) for source, _ in config.kind.directions)
    match checkpoints:
        case "newest":
            return [Column(name, opening, sources)]
        case "best":
            return [Column(name, partial(opening, best=True), sources)]
        case "all":
            steps: Sequence[int] = _steps(path)
        case _:
            steps = checkpoints
            _refuse_missing(path, steps)
    return [
        Column(f"{name}, step {step:,}", partial(opening, step=step), sources, checkpoints == "all")
        for step in steps
    ]


def _steps(path: Path) -> list[int]:
    """Return the steps of a run's kept checkpoints, the oldest first."""
    run = RunFolder(path)
    run.read()
    steps = [manifest.step for _, manifest in read_manifests(run.checkpoints)]
    if not steps:
        raise CheckpointError(f"{path} has no checkpoint yet; wait until the run has saved one.")
    return steps


def _refuse_missing(path: Path, wanted: Sequence[int]) -> None:
    kept = _steps(path)
    for step in wanted:
        if step not in kept:
            raise CheckpointError(
                f"{path} has no checkpoint of step {step:,}; it has those of "
                f"{', '.join(f'{each:,}' for each in kept)}."
            )
