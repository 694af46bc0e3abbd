"""`latest.json`, which names the latest checkpoint and the best for people and scripts; resume ignores it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from models.storage.durable import replace_file
from training.checkpoint.best import rank
from training.checkpoint.errors import CheckpointError
from training.checkpoint.read import Manifests, read_manifests

LATEST: Final = "latest.json"


def write_latest(directory: Path) -> None:
    """Write `latest.json` beside `directory` from the manifests there; their files are not read.

    Raises:
        CheckpointError: the disk refused; every checkpoint is still there.
    """
    manifests = read_manifests(directory)
    names = {
        "latest": _entry(directory, manifests[-1:]),
        "best": _entry(directory, rank(manifests)[:1]),
    }
    path = directory.parent / LATEST
    try:
        replace_file(path, (json.dumps(names, indent=1) + "\n").encode())
    except OSError as error:
        raise CheckpointError(
            f"{path} could not be written ({error.strerror}); the checkpoints themselves are all there."
        ) from error


def _entry(directory: Path, chosen: Manifests) -> dict[str, Any] | None:
    for path, manifest in chosen:
        figure = {} if manifest.figure is None else {"figure": manifest.figure.model_dump()}
        where = f"{directory.name}/{path.name}"
        return {"path": where, "step": manifest.step, "score": manifest.score, **figure}
    return None
