"""Read what a run has recorded, for its report."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final, NamedTuple

from training.checkpoint.best import rank
from training.checkpoint.manifest import CheckpointFigure
from training.checkpoint.read import read_manifests
from training.config.run_config import RunConfig
from training.journal.sample_sheets import ATTENTION
from training.run_folder.environment import read_environments
from training.run_folder.folder import RunFolder

_SHEET: Final = re.compile(r"(\d{8,})-(\w+)-(\w+)\.(?:jpg|png)")


class Sheet(NamedTuple):
    """The file of one sample sheet."""

    step: int
    name: str
    file: Path
    attention: bool = False
    """Whether it has the parts of a network's heat maps."""


class CheckpointSummary(NamedTuple):
    """Step, scores and size of one checkpoint."""

    step: int
    score: float | None
    figure: CheckpointFigure | None
    size_bytes: int
    best: bool


class RunRecord(NamedTuple):
    """All that a run has recorded; empty where it has recorded nothing yet."""

    path: Path
    data: Path
    config: RunConfig
    lines: list[dict[str, Any]]
    """Lines of `stats.jsonl`, sorted by step; that of an evaluation is part of its step's line."""
    environments: list[dict[str, Any]]
    sheets: list[Sheet]
    checkpoints: list[CheckpointSummary]


def read_run(path: Path) -> RunRecord:
    """Return the record of a run, finished or still training.

    Raises:
        RunError: the folder is not a run.
        ConfigError: its config was edited and is invalid.
    """
    run = RunFolder(path)
    config, data, _ = run.read()
    return RunRecord(
        path,
        data,
        config,
        _lines(run.stats),
        read_environments(run.environment),
        _sheets(run.samples),
        _checkpoints(run.checkpoints),
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    lines: dict[int, dict[str, Any]] = {}
    for text in texts:
        try:
            line = json.loads(text)
            # An evaluation is a line of its own, after that of its step's losses.
            lines.setdefault(int(line["step"]), {}).update(line)
        except (ValueError, KeyError, TypeError):
            continue  # an incomplete line, which the run is writing now
    return [lines[step] for step in sorted(lines) if "seconds" in lines[step]]


def _sheets(folder: Path) -> list[Sheet]:
    if not folder.is_dir():
        return []
    found = ((file, _SHEET.fullmatch(file.name)) for file in folder.iterdir())
    return sorted(_sheet(named, file) for file, named in found if named)


def _sheet(named: re.Match[str], file: Path) -> Sheet:
    step, direction, kind = named.groups()
    words = ATTENTION.get(kind, f"{kind} pictures")
    return Sheet(int(step), f"{direction}, {words}", file, kind in ATTENTION)


def _checkpoints(folder: Path) -> list[CheckpointSummary]:
    known = read_manifests(folder)
    best = [path for path, _ in rank(known)[:1]]
    return [
        CheckpointSummary(
            manifest.step,
            manifest.score,
            manifest.figure,
            sum(entry.size_bytes for entry in manifest.files.values()),
            path in best,
        )
        for path, manifest in known
    ]
