"""`latest.json`, which names the latest checkpoint and the best for people and scripts; resume ignores it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from models.storage.durable import replace_file
from training.checkpoint.errors import CheckpointError
from training.checkpoint.manifest import Manifest
from training.checkpoint.read import list_folders, read_manifest

LATEST: Final = "latest.json"

Manifests = list[tuple[Path, Manifest]]


def write_latest(directory: Path) -> None:
    """Write `latest.json` beside `directory` from the manifests there; their files are not read.

    Raises:
        CheckpointError: the disk refused; every checkpoint is still there.
    """
    manifests = read_manifests(directory)
    scored = by_score(manifests)
    names = {
        "latest": _entry(directory, manifests[-1:]),
        "best": _entry(directory, scored[:1]),
    }
    path = directory.parent / LATEST
    try:
        replace_file(path, (json.dumps(names, indent=1) + "\n").encode())
    except OSError as error:
        raise CheckpointError(
            f"{path} could not be written ({error.strerror}); the checkpoints themselves are all there."
        ) from error


def _entry(directory: Path, chosen: Manifests) -> dict[str, str | int | float | None] | None:
    for path, manifest in chosen:
        return {"path": f"{directory.name}/{path.name}", "step": manifest.step, "score": manifest.score}
    return None


def read_manifests(directory: Path) -> Manifests:
    """Return the step folders whose manifests and lists of files are right, the newest last."""
    manifests: Manifests = []
    for path in list_folders(directory):
        try:
            manifests.append((path, read_manifest(path)))
        except CheckpointError:
            continue  # the error is reported when the checkpoint is read
    return manifests


def by_score(manifests: Manifests) -> Manifests:
    """Return those with a score, the best first; of equal scores the newer first."""
    scored = [(each.score, -each.step, path, each) for path, each in manifests if each.score is not None]
    return [(path, each) for _, _, path, each in sorted(scored, key=lambda entry: entry[:2])]
