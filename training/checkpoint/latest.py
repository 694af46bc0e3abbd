"""`latest.json` names the latest checkpoint and the best, for people and scripts; resuming never asks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from training.checkpoint.disk import replace_file
from training.checkpoint.errors import CheckpointError
from training.checkpoint.manifest import Manifest
from training.checkpoint.read import list_folders, read_manifest

LATEST: Final = "latest.json"

Known = list[tuple[Path, Manifest]]


def note_latest(directory: Path) -> None:
    """Write `latest.json` beside `directory`, as the manifests there say; their files are not read.

    Raises:
        CheckpointError: the disk refused; every checkpoint is still there.
    """
    known = read_manifests(directory)
    judged = by_score(known)
    names = {
        "latest": _facts(directory, known[-1:]),
        "best": _facts(directory, judged[:1]),
    }
    path = directory.parent / LATEST
    try:
        replace_file(path, (json.dumps(names, indent=1) + "\n").encode())
    except OSError as error:
        raise CheckpointError(
            f"{path} could not be written ({error.strerror}); the checkpoints themselves are all there."
        ) from error


def _facts(directory: Path, chosen: Known) -> dict[str, str | int | float | None] | None:
    for path, manifest in chosen:
        return {"path": f"{directory.name}/{path.name}", "step": manifest.step, "score": manifest.score}
    return None


def read_manifests(directory: Path) -> Known:
    """The step folders whose manifests and lists of files are in order, the newest last."""
    known: Known = []
    for path in list_folders(directory):
        try:
            known.append((path, read_manifest(path)))
        except CheckpointError:
            continue  # whoever reads it is told why
    return known


def by_score(known: Known) -> Known:
    """Those that were judged, the best first; of equals the newer first."""
    judged = [(each.score, -each.step, path, each) for path, each in known if each.score is not None]
    return [(path, each) for _, _, path, each in sorted(judged, key=lambda entry: entry[:2])]
