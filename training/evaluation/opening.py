"""Open the runs and bundles to evaluate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from models.bundle.directory import Bundle, read_bundle
from models.bundle.manifest import MANIFEST
from models.files.distinct_names import distinct_names
from training.data.folder import domain
from training.evaluation.domains import Domains, name_domains, sides
from training.evaluation.errors import EvaluationError
from training.evaluation.subject import Direction, Kind, Subject
from training.evaluation.translator import BundleTranslator, NetworkTranslator
from training.export.translator import Translator
from training.run.trained import load_trained
from training.run_folder.folder import CONFIG, RunFolder

Opened = tuple[Bundle, BundleTranslator]


def open_subjects(
    paths: Sequence[Path],
    data: Path,
    *,
    a2b: str | None = None,
    step: int | None = None,
    best: bool = False,
    device: str = "cpu",
) -> tuple[list[Subject], Domains | None]:
    """Verify and open runs and bundles, in order; also return the domains that the bundles were checked for.

    Args:
        paths: of runs and bundles. Two bundles of opposite directions serve each other for the cycle.
        data: the data set's folder.
        a2b: the direction from A to B, where the folder is not named after it.
        step: the checkpoint of this step of runs, instead of the newest.
        best: the checkpoint of the lowest score of runs.
        device: where runs compute; bundles compute on the CPU.

    Raises:
        EvaluationError: a path is neither run nor bundle, is given twice, or is a bundle of other domains.
        BundleError: a bundle does not match its manifest.
        RunError, CheckpointError, ConfigError: a run has no such checkpoint.
    """
    names = name_paths(paths)
    bundles, domains = open_bundles(
        {path: name for path, name in names.items() if kind_of(path) == "bundle"}, data, a2b
    )
    subjects = [
        bundles[path] if path in bundles else open_run(name, path, step=step, best=best, device=device)
        for path, name in names.items()
    ]
    return subjects, domains


def open_bundles(
    names: Mapping[Path, str], data: Path, a2b: str | None = None
) -> tuple[dict[Path, Subject], Domains | None]:
    """Verify and open bundles, of which each is named; also return their domains, None without a bundle.

    Raises:
        EvaluationError: a bundle has other domains.
        BundleError: a bundle does not match its manifest.
    """
    if not names:
        return {}, None
    bundles = {path: read_bundle(path) for path in names}
    domains = name_domains(data, a2b, [bundle.manifest for bundle in bundles.values()])
    assert domains is not None, "a bundle names its domains"
    for bundle in bundles.values():
        sides(bundle.manifest, domains)
    opened = {path: (bundle, BundleTranslator(bundle)) for path, bundle in bundles.items()}
    return {path: _bundle_subject(name, path, opened, domains) for path, name in names.items()}, domains


def kind_of(path: Path) -> Kind:
    """Return whether a folder is a run or a bundle.

    Raises:
        EvaluationError: it is neither.
    """
    if (path / MANIFEST).is_file():
        return "bundle"
    if (path / CONFIG).is_file():
        return "run"
    raise EvaluationError(
        f"{path} is neither a run (a folder with {CONFIG}) nor a bundle (a folder with {MANIFEST}); give the "
        "folder that ugatit-train fit, export or import wrote."
    )


def name_paths(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the shortest ends of the paths that are all different.

    Raises:
        EvaluationError: a path is given twice.
    """
    try:
        return distinct_names(paths)
    except ValueError as error:
        raise EvaluationError(str(error)) from None


def _bundle_subject(name: str, path: Path, opened: dict[Path, Opened], domains: Domains) -> Subject:
    bundle, translator = opened[path]
    manifest = bundle.manifest
    source, target = sides(manifest, domains)
    direction = Direction(manifest.direction, source, target, translator, _opposite(path, opened))
    facts: dict[str, JsonValue] = {"direction": manifest.direction, "version": bundle.version}
    return Subject(name, "bundle", manifest.training.steps, (direction,), facts)


def _opposite(path: Path, opened: dict[Path, Opened]) -> BundleTranslator | None:
    """Return the bundle of the opposite direction, of several the one in the same folder; else None."""
    manifest = opened[path][0].manifest
    direction = f"{manifest.target}2{manifest.source}"
    found = {
        other: each for other, (bundle, each) in opened.items() if bundle.manifest.direction == direction
    }
    beside = [each for other, each in found.items() if other.resolve().parent == path.resolve().parent]
    if len(beside) == 1:
        return beside[0]
    return next(iter(found.values())) if len(found) == 1 else None


def open_run(
    name: str, path: Path, *, step: int | None = None, best: bool = False, device: str = "cpu"
) -> Subject:
    """Open one checkpoint of a run: that of a step, the best, or the newest.

    Raises:
        RunError, CheckpointError, ConfigError: the run has no such checkpoint.
    """
    trained = load_trained(RunFolder(path), step=step, best=best)
    directions = network_directions(f"{name} at step {trained.step:,}", trained.translators, device=device)
    facts: dict[str, JsonValue] = {"config_sha256": trained.config_sha256}
    if trained.lacks:
        facts["lacks"] = list(trained.lacks)
    return Subject(name, "run", trained.step, directions, facts)


def network_directions(name: str, translators: Sequence[Translator], *, device: str) -> list[Direction]:
    """Return the direction of each translator, whose networks are set to evaluation mode."""
    opened = {
        (each.source, each.target): (each, NetworkTranslator(name, each, device=device))
        for each in translators
    }
    directions = []
    for (source, target), (each, forth) in opened.items():
        _, back = opened.get((target, source), (None, None))
        directions.append(Direction(each.direction, domain(source), domain(target), forth, back))
    return directions
