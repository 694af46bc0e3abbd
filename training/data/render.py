"""Print the report on a data set to a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from models.files.text import as_text
from models.files.walk import name_below
from training.data.check import Duplicates, Flat, FolderReport, Report, Size
from training.data.duplicates import HASH_BITS, MAX_BITS, MAX_LEVELS
from training.data.face_framing import FolderFraming

_LINES: Final = 20  # of each list


def render(report: Report, console: Console) -> None:
    """Print a report: a table of the folders, then lists of problems."""
    console.print(Text(as_text(report.folder), style="italic"), soft_wrap=True)  # a title would be wrapped
    table = Table()
    table.add_column("folder")
    for column in ("pictures", "unreadable", "smallest", "median", "largest"):
        table.add_column(column, justify="right")
    for folder in report.folders:
        table.add_row(*_row(folder))
    console.print(table, soft_wrap=False)
    _print_list(console, "Unreadable, left out by training", [str(file) for file in report.unreadable])
    left_out = [f"{name_below(entry.path, report.folder)}: {entry.reason}" for entry in report.left_out]
    _print_list(console, "Not taken for pictures", left_out)
    flat = [_flat(picture) for picture in report.flat]
    _print_list(console, "Flat or nearly flat; training skips updates that are not finite on them", flat)
    _print_duplicates(console, report.duplicates)
    for framing in report.framings:
        console.print(Text(_framing(framing)), soft_wrap=True)
    for problem in report.problems:
        console.print(Text(as_text(problem), style="bold red"), soft_wrap=True)


def _row(folder: FolderReport) -> list[str]:
    sizes = [_size(size) for size in folder.sizes] if folder.sizes else ["", "", ""]
    return [folder.name, str(folder.pictures), str(folder.unreadable), *sizes]


def _flat(picture: Flat) -> str:
    rest = 1 - picture.share
    return f"{picture.name}: one colour" + (f" but for {100 * rest:.1f} % of its area" if rest else "")


def _framing(folder: FolderFraming) -> str:
    height, x, y = (f"{100 * value:.0f} %" for value in folder.framing)
    return (
        f"Faces in {folder.name}: found in {folder.faces} of {folder.searched} pictures; in the median "
        f"{height} of the frame's height, with the centre at {x} of its width and {y} of its height."
    )


def _size(size: Size) -> str:
    return f"{size.width} x {size.height}"


def _print_duplicates(console: Console, duplicates: Sequence[Duplicates]) -> None:
    groups = dict.fromkeys(group.folders for group in duplicates)
    for folders in sorted(
        groups, key=len, reverse=True
    ):  # first those across train and test: they bias the evaluation
        title = f"Look the same, {'across' if len(folders) > 1 else 'within'} {' and '.join(folders)}"
        lines = [", ".join(group.names) for group in duplicates if group.folders == folders]
        _print_list(console, title, lines)
    if duplicates:
        bits = f"at most {MAX_BITS} of the {HASH_BITS} bits of a difference hash"
        console.print(
            Text(f"Look the same means: {bits} and {MAX_LEVELS:g} of 255 levels apart."), soft_wrap=True
        )


def _print_list(console: Console, title: str, lines: Sequence[str]) -> None:
    if not lines:
        return
    console.print(Text(f"{title} ({len(lines)}):", style="bold"))
    for line in lines[:_LINES]:
        console.print(Text(f"  {line}"), soft_wrap=True)
    if len(lines) > _LINES:
        console.print(Text(f"  and {len(lines) - _LINES} more."))
