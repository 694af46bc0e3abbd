"""The command `evaluate`, which measures translators by comparable figures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from models.files.text import as_text
from models.storage.durable import replace_file
from training.commands.hardware import accelerator_option, choose_device
from training.console.progress import counting_pictures
from training.evaluation.choice import EXTRACTORS, choose_extractor
from training.evaluation.data import EvaluationData, read_data
from training.evaluation.distances import Distances, choose_subsets
from training.evaluation.document import to_document, to_json
from training.evaluation.domains import name_domains
from training.evaluation.errors import EvaluationError
from training.evaluation.evaluate import Evaluation, count_pictures, evaluate
from training.evaluation.faces import face_finder
from training.evaluation.files import refuse_other_files, write_features
from training.evaluation.ledger import ledger_rows
from training.evaluation.opening import kind_of, open_subjects
from training.evaluation.publish import refuse_other_ledger, update_ledger
from training.evaluation.render import render
from training.evaluation.subject import Subject


@click.command("evaluate")
@click.argument("paths", metavar="RUN_OR_BUNDLE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Data set with testA and testB.")
@click.option("--a2b", metavar="NAME", help="Direction from testA to testB, such as selfie2anime.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every figure to this file.")
@click.option(
    "--features", type=click.Path(path_type=Path), help="Write the features of all pictures to this folder."
)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path),
    help="Add every figure to this JSON file, and render it beside the published figures as .md.",
)
@click.option(
    "--extractor",
    type=click.Choice(EXTRACTORS),
    help="[default: inception if its weights are on this machine]",
)
@click.option("--inception-weights", type=click.Path(path_type=Path), help="File of Inception's weights.")
@click.option(
    "--subset-size",
    type=click.IntRange(min=2),
    help="Pictures in a subset, for KID as torch-fidelity computes it.",
)
@click.option("--subsets", type=click.IntRange(min=1), help="Number of subsets.")
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the subsets."
)
@click.option("--step", type=click.IntRange(min=1), metavar="N", help="A run's checkpoint of step N.")
@click.option("--best", is_flag=True, help="A run's best checkpoint, not the newest.")
@accelerator_option
def evaluate_command(
    paths: tuple[Path, ...],
    data: Path,
    a2b: str | None,
    json_file: Path | None,
    features: Path | None,
    ledger: Path | None,
    extractor: str | None,
    inception_weights: Path | None,
    subset_size: int | None,
    subsets: int | None,
    seed: int,
    step: int | None,
    best: bool,
    accelerator: str,
) -> None:
    """Measure the translators of runs and bundles on the test pictures of a data set.

    KID and FID compare features of Inception, KID-lite and FID-lite those of EfficientNet-Lite0: never
    compare one with the other. Two bundles of opposite directions serve each other
    for the cycle. A run is evaluated with its averaged weights, where it keeps them.
    """
    if best and step is not None:
        raise click.UsageError("--best and --step each choose a checkpoint; give only one of them.")
    console = Console()
    device = choose_device(accelerator)
    _refuse_outputs(json_file, features, ledger)
    with console.status(f"Reading the test pictures in {data} …"):
        pictures = read_data(data)
    drawn = choose_subsets(subset_size, subsets, pictures)
    _refuse_checkpoints_of_bundles(paths, chosen=best or step is not None)
    with console.status("Verifying and opening runs and bundles …"):
        subjects, domains = open_subjects(paths, data, a2b=a2b, step=step, best=best, device=device)
    named = domains or name_domains(data, a2b, [])
    chosen, remark = choose_extractor(extractor, inception_weights, device=device)
    if remark is not None:
        console.print(remark, highlight=False, soft_wrap=True)
    distances = Distances(chosen, drawn, seed)
    measured = _measure(subjects, pictures, distances, features is not None, console)
    render(measured, subjects, pictures, domains, distances, console)
    document = to_document(measured, subjects, pictures, domains, distances, device=device)
    if features is not None:
        write_features(features, measured.features)
    if json_file is not None:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        replace_file(json_file, to_json(document))
    if ledger is not None:
        update_ledger(ledger, ledger_rows(document, _ledger_names(paths, subjects), named))


def _refuse_checkpoints_of_bundles(paths: Sequence[Path], *, chosen: bool) -> None:
    if chosen and all(kind_of(path) == "bundle" for path in paths):
        raise EvaluationError(
            "--step and --best choose a checkpoint of a run, and only bundles are given; leave them out or "
            "give a run."
        )


def _ledger_names(paths: Sequence[Path], subjects: Sequence[Subject]) -> dict[str, str]:
    """Return names that do not depend on the other subjects: the path below the working directory, if it is.

    A subject elsewhere keeps its name, so that no path of this machine is published.
    """
    here = Path.cwd()
    whole = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - links keep their names
    return {
        subject.name: as_text(path.relative_to(here) if path.is_relative_to(here) else subject.name)
        for path, subject in zip(whole, subjects, strict=True)
    }


def _refuse_outputs(json_file: Path | None, features: Path | None, ledger: Path | None) -> None:
    """Refuse output paths that cannot be written, before minutes of work."""
    if json_file is not None and json_file.is_dir():
        raise EvaluationError(f"--json needs a file, and {json_file} is a folder; name a file.")
    if features is not None:
        refuse_other_files(features)
    for option, path in (("--json", json_file), ("--features", features), ("--ledger", ledger)):
        if path is not None:
            _refuse_unwritable(option, path)
    if ledger is not None:
        refuse_other_ledger(ledger)


def _refuse_unwritable(option: str, path: Path) -> None:
    parent = next(each for each in path.absolute().parents if each.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise EvaluationError(
            f"{option} needs a folder that can be written, and {as_text(parent)} cannot be; name another "
            "path."
        )


def _measure(
    subjects: list[Subject],
    pictures: EvaluationData,
    distances: Distances,
    reconstructions: bool,
    console: Console,
) -> Evaluation:
    with counting_pictures(console, "Evaluating pictures", count_pictures(subjects, pictures)) as advance:
        return evaluate(
            subjects,
            pictures,
            distances,
            reconstructions=reconstructions,
            find_face=face_finder(),
            advance=advance,
        )
