"""Measure every variant of an ablation at one number of steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from training.ablation.folder import RunsFolder, RunsPlan
from training.ablation.variants import Variant
from training.checkpoint.folders import step_of
from training.checkpoint.read import list_folders
from training.data.folder import DOMAINS
from training.evaluation.data import EvaluationData
from training.evaluation.distances import Distances
from training.evaluation.document import to_document
from training.evaluation.evaluate import Evaluation, evaluate
from training.evaluation.faces import face_finder
from training.evaluation.opening import open_run
from training.evaluation.passes import Advance
from training.evaluation.subject import Subject
from training.run_folder.folder import RunError


class Measured(NamedTuple):
    """The figures of an ablation."""

    step: int
    """The steps of every measured variant."""
    variants: list[Variant]
    """Those that have a checkpoint of that step."""
    evaluation: Evaluation
    document: Mapping[str, Any]
    """The evaluation as `ugatit-train evaluate --json` writes it."""


def common_step(folder: RunsFolder, plan: RunsPlan) -> int:
    """Return the largest of the steps that most variants have a checkpoint of.

    Raises:
        RunError: no variant has a checkpoint.
    """
    counts = Counter(step for each in plan.variants for step in _steps(folder, each))
    if not counts:
        raise RunError(
            f"No variant in {folder.path} has a checkpoint yet; continue the ablation, and stop it no "
            "earlier than after its first turn."
        )
    return max(counts, key=lambda step: (counts[step], step))


def measure_variants(
    folder: RunsFolder,
    plan: RunsPlan,
    data: EvaluationData,
    distances: Distances,
    *,
    device: str,
    advance: Advance = lambda _: None,
) -> Measured:
    """Evaluate every variant at the steps that most have done.

    Args:
        folder: of the runs.
        plan: of the runs.
        data: the test pictures.
        distances: how features are compared.
        device: where the variants compute.
        advance: called with the number of pictures just done.

    Raises:
        RunError: no variant has a checkpoint.
        CheckpointError: a checkpoint cannot be used.
        EvaluationError: a network returns values that are not finite.
        DataError: a picture can no longer be read.
    """
    step = common_step(folder, plan)
    variants = [each for each in plan.variants if step in _steps(folder, each)]
    described: list[Subject] = []

    def opened() -> Iterator[Subject]:
        """Open one variant after the other: together they may need more memory than there is."""
        for each in variants:
            subject = open_run(each.folder, folder.run(each).path, step=step, device=device)
            described.append(replace(subject, directions=()))
            yield subject

    evaluation = evaluate(opened(), data, distances, find_face=face_finder(), advance=advance)
    document = to_document(evaluation, described, data, None, distances, device=device)
    return Measured(step, variants, evaluation, document)


def count_pictures(plan: RunsPlan, data: EvaluationData) -> int:
    """Return the number of pictures that `measure_variants` reports at most."""
    return (1 + 2 * len(plan.variants)) * sum(data.count(domain) for domain in DOMAINS)


def _steps(folder: RunsFolder, variant: Variant) -> set[int]:
    return {step for path in list_folders(folder.run(variant).checkpoints) if (step := step_of(path))}
