"""The key figures at the top of a report."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from training.checkpoint.manifest import CheckpointFigure
from training.config.run_config import RunConfig
from training.console.phrases import format_duration, metric_name
from training.journal.sample_sheets import SAMPLES
from training.report.read import RunRecord

_RECENT: Final = 50
"""Newest lines of `stats.jsonl` that the present speed is measured on."""


class KeyFigure(NamedTuple):
    """A figure with its name and a note."""

    name: str
    value: str
    note: str = ""


def key_figures(record: RunRecord) -> list[KeyFigure]:
    """Return the key figures: progress, time, speed, best score."""
    figures = [_steps(record)]
    if record.lines:
        figures += _times(record)
        figures += _skips(record.lines[-1])
    return figures + _best(record)


def _best(record: RunRecord) -> list[KeyFigure]:
    """Return the value that made a checkpoint the best, where there is one."""
    best = next((each for each in record.checkpoints if each.best), None)
    if best is None:
        return []
    of = "averaged weights" if record.config.average_decay else "raw weights"
    where = f"at step {best.step:,}"
    if best.figure is not None:
        name = f"Best {metric_name(best.figure.metric)}"
        note = f"{where}; mean of both directions, of the {of}, lower is better"
        return [KeyFigure(name, f"{best.figure.value:.4f}", note)]
    assert best.score is not None, "a checkpoint without a score is not the best"
    return [
        KeyFigure(
            "Best score",
            f"{best.score:.4f}",
            f"{where}; {record.config.kind.score} of the {of}, lower is better",
        )
    ]


def figure_words(figure: CheckpointFigure | None) -> str:
    """Return sentences on the figures of evaluations, and how they choose the best checkpoint."""
    if figure is None:
        return ""
    return (
        f"{metric_name(figure.metric)} is the mean of both directions, protocol {figure.protocol}, extractor "
        f"{figure.extractor} (sha256 {figure.extractor_sha256[:12]}), on all test pictures "
        f"(fingerprint {figure.data[:12]}). Lower is better. It chooses the best checkpoint instead of the "
        "score; figures of another extractor or of other test pictures are not compared with it."
    )


def score_words(config: RunConfig) -> str:
    """Return sentences on a checkpoint's score: its pictures, its weights, and how to read it."""
    weights = (
        f"the running average of the generators' weights (average_decay {config.average_decay:g})"
        if config.average_decay
        else "the raw weights of that step, because the run keeps no average"
    )
    return (
        f"The score is {config.kind.score}: on the test pictures of the sample sheets (up to {SAMPLES} of "
        f"each domain, evenly spaced), {config.kind.score_words}, in levels of [-1, 1], summed over both "
        f"directions. It is measured with {weights}. Lower is better. It compares checkpoints of one run; it "
        "does not measure how well a translation looks like the other domain."
    )


def _steps(record: RunRecord) -> KeyFigure:
    done = record.lines[-1]["step"] if record.lines else 0
    return KeyFigure("Steps", f"{done:,}", f"of {record.config.steps:,}")


def _times(record: RunRecord) -> list[KeyFigure]:
    recent = record.lines[-_RECENT:]
    seconds = statistics.median(float(line["seconds"]) for line in recent)
    processes = int(record.environments[-1].get("processes", 1)) if record.environments else 1
    pictures = record.config.pictures(processes)
    left = record.config.steps - int(record.lines[-1]["step"])
    figures = [
        KeyFigure(
            "Learning took", format_duration(total_seconds(record.lines)), "time in steps, without saving"
        ),
        KeyFigure("A step", f"{seconds:.3g} s", f"{pictures / seconds:.3g} images a second"),
    ]
    if left > 0:
        figures.append(KeyFigure("Left", format_duration(left * seconds), "at this speed"))
    waits = [
        float(line["data_seconds"]) / float(line["seconds"]) for line in recent if "data_seconds" in line
    ]
    if waits:
        figures.append(KeyFigure("Waiting for pictures", f"{statistics.mean(waits):.1%}", "of a step"))
    return figures


def _skips(last: dict[str, Any]) -> list[KeyFigure]:
    """Return the number of skipped updates, where any were skipped."""
    counts = {name: int(count) for name, count in last.get("skips", {}).items() if count}
    if not counts:
        return []
    note = ", ".join(f"{count:,} of the {name}" for name, count in counts.items())
    return [KeyFigure("Skipped updates", f"{sum(counts.values()):,}", note)]


def total_seconds(lines: Sequence[dict[str, Any]]) -> float:
    """Return the seconds of all steps. Lines of older versions time one of the steps since the last."""
    total, before = 0.0, 0
    for line in lines:
        total += float(line["seconds"]) * int(line.get("steps", line["step"] - before))
        before = line["step"]
    return total
