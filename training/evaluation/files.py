"""Write the features of an evaluation as one folder, atomically."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from training.evaluation.errors import EvaluationError
from training.evaluation.evaluate import KeptFeatures

_KINDS: Final = KeptFeatures._fields


def refuse_other_files(folder: Path) -> None:
    """Check that `folder` is new, empty, or holds only an earlier evaluation's features.

    Raises:
        EvaluationError: it holds something else, or is not a folder.
    """
    if folder.is_dir():
        others = [path for path in folder.rglob("*") if not _is_features(path)]
    else:
        others = [folder] if folder.exists() or folder.is_symlink() else []
    if others:
        raise EvaluationError(
            f"The features would replace {folder}, which holds {others[0].name}; name a new folder."
        )


def _is_features(path: Path) -> bool:
    """Return whether an evaluation can have written a path: a features file, or a subject's folder."""
    if path.is_symlink():
        return False
    return path.is_dir() or (path.suffix == ".npy" and path.stem.rpartition("-")[2] in _KINDS)


def write_features(folder: Path, features: Mapping[str, Mapping[str, KeptFeatures]]) -> None:
    """Write `{direction}-{source,target,translation,reconstruction}.npy`, float32 [n, d].

    With several subjects, each has a folder of its name. The features of an earlier evaluation are replaced.

    Raises:
        EvaluationError: the folder holds something else.
        OSError: writing failed; the earlier features are unchanged. It names `folder`.
    """
    folder = folder.resolve()
    refuse_other_files(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        fresh.chmod(0o755)
        for subject, directions in features.items():
            target = fresh / subject if len(features) > 1 else fresh
            target.mkdir(exist_ok=True)
            for direction, kept in directions.items():
                _write_direction(target, direction, kept)
        _swap(fresh, folder)
    except OSError as error:  # numpy's names no file, and on a full disk it has no number
        raise OSError(error.errno or errno.EIO, error.strerror or str(error), str(folder)) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _write_direction(folder: Path, direction: str, kept: KeptFeatures) -> None:
    for kind, rows in kept._asdict().items():
        if rows is not None:
            np.save(folder / f"{direction}-{kind}.npy", rows.astype(np.float32), allow_pickle=False)


def _swap(fresh: Path, folder: Path) -> None:
    """Rename `fresh` to `folder`; move the old one away first, as rename cannot replace a full folder."""
    if not folder.exists():
        fresh.rename(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    old = aside / folder.name
    try:
        folder.rename(old)
        fresh.rename(folder)
    except BaseException:  # also after Ctrl-C, restore the old features
        if old.exists() and not folder.exists():
            old.rename(folder)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)
