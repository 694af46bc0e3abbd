"""Choose the best checkpoint of a run from the scores in its manifests."""

from __future__ import annotations

from pathlib import Path

from training.checkpoint.manifest import Manifest
from training.checkpoint.read import Manifests, read_manifests
from training.checkpoint.verified import Verified


def rank(manifests: Manifests) -> Manifests:
    """Return the scored checkpoints, the best first; of equal scores the newer first.

    Figures of an evaluation decide where there are any, otherwise the method's scores. Figures of different
    kinds (metric, protocol, extractor, test pictures) are not comparable: only those of the newest evaluated
    checkpoint's kind count, and a checkpoint without such a figure is not ranked.

    Args:
        manifests: of a run's checkpoints, the newest last.
    """
    kind = next((each.figure.kind for _, each in reversed(manifests) if each.figure is not None), None)
    values = [(_value(manifest, kind), path, manifest) for path, manifest in manifests]
    scored = [(value, -each.step, path, each) for value, path, each in values if value is not None]
    return [(path, each) for _, _, path, each in sorted(scored, key=lambda entry: entry[:2])]


def _value(manifest: Manifest, kind: tuple[str, ...] | None) -> float | None:
    """Return the value that ranks a checkpoint, lower is better; None if it cannot be ranked."""
    if kind is None:
        return manifest.score
    figure = manifest.figure
    return figure.value if figure is not None and figure.kind == kind else None


def find_best(directory: Path, verified: Verified | None = None) -> Path | None:
    """Return the best checkpoint that verifies, or None if none has a score.

    Args:
        directory: `RUN/checkpoints`.
        verified: remembers which checkpoints it has read.
    """
    verified = verified or Verified()
    return next((path for path, _ in rank(read_manifests(directory)) if verified.check(path)), None)
