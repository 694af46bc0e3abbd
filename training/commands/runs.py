"""What `ablate` and `compare` share: several runs, trained by turns, then measured and shown together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from models.files.text import ESCAPED, as_text
from models.storage.durable import replace_file
from training.ablation.folder import RunsFolder, RunsPlan
from training.ablation.gallery import draw_gallery
from training.ablation.measure import Measured, count_pictures, measure_variants
from training.ablation.table import Document
from training.ablation.turns import Turns
from training.console.progress import counting_pictures
from training.console.terminal import busy
from training.evaluation.choice import EXTRACTORS
from training.evaluation.data import EvaluationData
from training.evaluation.distances import Distances
from training.evaluation.document import to_json
from training.parallel.processes import Processes
from training.run.loop import Interrupted

_OPTIONS: Final = (
    click.option(
        "--data",
        required=True,
        type=click.Path(path_type=Path),
        help="Data set with trainA, trainB, testA, testB.",
    ),
    click.option("--evaluate-only", is_flag=True, help="Compare the runs as they are, without training."),
    click.option(
        "--extractor",
        type=click.Choice(EXTRACTORS),
        help="[default: inception if its weights are on this machine]",
    ),
    click.option("--inception-weights", type=click.Path(path_type=Path), help="File of Inception's weights."),
    click.option(
        "--accelerator",
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="auto is cuda where torch finds a GPU.",
    ),
)


def runs_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command with the options for data, evaluation and device."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def train_by_turns(
    folder: RunsFolder, plan: RunsPlan, data: Path, processes: Processes, console: Console, *, whole: str
) -> bool:
    """Train by turns; return whether the results are to be written.

    Args:
        folder: with the plan and the runs.
        plan: the plan.
        data: the training pictures.
        processes: this process.
        console: where progress is shown.
        whole: what all runs together are, such as ablation.
    """
    turns = Turns(folder, plan)
    try:
        turns.train(data, processes, console)
    except Interrupted:
        console.print(f"Stopped, and saved; the same command continues the {whole}.")
        return False
    if others := turns.unfinished():
        names = ", ".join(map(plan.title, others))
        console.print(f"Another process trains {names}; it writes the results when it ends.")
        return False
    return True


def write_results(
    folder: RunsFolder,
    plan: RunsPlan,
    pictures: EvaluationData,
    distances: Distances,
    *,
    tabulate: Callable[[Measured], Document],
    render: Callable[[Document], str],
    device: str,
    console: Console,
) -> Measured:
    """Evaluate the runs; write every figure, the table as JSON and Markdown, and the gallery."""
    total = count_pictures(plan, pictures)
    with counting_pictures(console, "Evaluating pictures", total) as advance:
        measured = measure_variants(folder, plan, pictures, distances, device=device, advance=advance)
    with busy(console, "Drawing the gallery …"):
        page = draw_gallery(folder, plan, measured, pictures, device=device)
    table = tabulate(measured)
    replace_file(folder.figures, to_json(measured.document))
    replace_file(folder.table, to_json(table))
    replace_file(folder.markdown, render(table).encode())
    replace_file(folder.gallery, page.encode("utf-8", ESCAPED))
    return measured


def print_results(folder: RunsFolder, console: Console) -> None:
    """Print the files that were written, with their sizes."""
    for file in (folder.figures, folder.table, folder.markdown, folder.gallery):
        console.print(f"{as_text(file)}: {file.stat().st_size / 1e6:.2f} MB")
